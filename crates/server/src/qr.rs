//! QR codes: as a picture for a page, as an image file, and as characters for a terminal.

use qrcode::render::{svg, unicode};
use qrcode::types::{Color, QrError};
use qrcode::{EcLevel, QrCode};

/// Modules of blank margin that a reader needs (ISO/IEC 18004, 6.3.8).
const MARGIN: usize = 4;

/// Pixels of one module in an image file.
const SCALE: usize = 8;

/// A text as a QR code.
pub(crate) struct Code(QrCode);

/// A QR code could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodeError {
    /// More than a QR code holds.
    #[error("the address does not fit into a QR code: {0}")]
    TooLong(QrError),
    /// The image could not be written.
    #[error("the image of the QR code cannot be written")]
    Png(#[from] png::EncodingError),
}

impl Code {
    /// Encodes a text.
    ///
    /// # Errors
    /// [`CodeError::TooLong`] for a text of more than about two thousand bytes.
    pub(crate) fn new(text: &str) -> Result<Self, CodeError> {
        QrCode::with_error_correction_level(text, EcLevel::M)
            .map(Self)
            .map_err(CodeError::TooLong)
    }

    /// An SVG picture, black on white: readers want dark on light also on a dark page.
    #[must_use]
    pub(crate) fn svg(&self) -> String {
        self.0
            .render::<svg::Color<'_>>()
            .min_dimensions(240, 240)
            .build()
    }

    /// A grey PNG image.
    ///
    /// # Errors
    /// [`CodeError::Png`] when it cannot be encoded.
    pub(crate) fn png(&self) -> Result<Vec<u8>, CodeError> {
        let width = self.0.width();
        let colors = self.0.to_colors();
        let side = (width + 2 * MARGIN) * SCALE;
        let mut pixels = vec![255_u8; side * side];
        for (index, _) in colors
            .iter()
            .enumerate()
            .filter(|(_, color)| **color == Color::Dark)
        {
            let (row, column) = (index / width + MARGIN, index % width + MARGIN);
            for y in row * SCALE..(row + 1) * SCALE {
                pixels[y * side + column * SCALE..][..SCALE].fill(0);
            }
        }
        let mut image = Vec::new();
        let pixel_side = u32::try_from(side).unwrap_or(u32::MAX);
        let mut encoder = png::Encoder::new(&mut image, pixel_side, pixel_side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(image)
    }

    /// Half-block characters for a terminal with a dark background.
    #[must_use]
    pub(crate) fn terminal(&self) -> String {
        self.0
            .render::<unicode::Dense1x2>()
            .dark_color(unicode::Dense1x2::Light)
            .light_color(unicode::Dense1x2::Dark)
            .build()
    }
}
