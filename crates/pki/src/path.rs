//! Whether a certificate leads to a local trust anchor, by what was presented with it.
//!
//! The search goes up from the certificate, issuer by issuer, each certificate at most once, and
//! spends one signature check for each step it tries. Anchors are tried before strangers'
//! certificates, so that who presents a flood harms only themselves.

use station::Fingerprint;

use crate::certificate::Certificate;

/// Signature checks that one verification may cost.
pub const MAX_SIGNATURE_CHECKS: usize = 16;

/// The certificate leads to an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// The anchor reached.
    pub anchor: Fingerprint,
    /// Signatures between it and the certificate: 0 for an anchor itself.
    pub length: usize,
}

/// Why a certificate is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// Nothing presented leads to an anchor.
    #[error("no chain of signatures leads from the certificate to a trust anchor")]
    NoPath,
    /// What was presented asks for too many signature checks.
    #[error(
        "checking the certificate would take more than {MAX_SIGNATURE_CHECKS} signature checks"
    )]
    TooCostly,
}

/// Follows issuers from `certificate` through `presented` to one of `anchors`.
///
/// # Errors
/// [`Untrusted`] when there is no path, or none was found within [`MAX_SIGNATURE_CHECKS`].
pub fn verify(
    certificate: &Certificate,
    presented: &[Certificate],
    anchors: &[Certificate],
) -> Result<Trust, Untrusted> {
    if anchors.contains(certificate) {
        return Ok(Trust {
            anchor: certificate.fingerprint(),
            length: 0,
        });
    }
    let mut checks = MAX_SIGNATURE_CHECKS;
    let mut unused: Vec<&Certificate> = presented.iter().collect();
    let mut open = vec![(certificate, 1)];
    while let Some((current, length)) = open.pop() {
        for anchor in anchors {
            if issued(anchor, current, &mut checks)? {
                return Ok(Trust {
                    anchor: anchor.fingerprint(),
                    length,
                });
            }
        }
        let mut rest = Vec::with_capacity(unused.len());
        for candidate in unused {
            if issued(candidate, current, &mut checks)? {
                open.push((candidate, length + 1));
            } else {
                rest.push(candidate);
            }
        }
        unused = rest;
    }
    Err(Untrusted::NoPath)
}

/// Whether `issuer` made `certificate`. Costs a check only when the names fit and it may issue.
fn issued(
    issuer: &Certificate,
    certificate: &Certificate,
    checks: &mut usize,
) -> Result<bool, Untrusted> {
    if issuer.subject() != certificate.issuer() || !issuer.may_issue() {
        return Ok(false);
    }
    *checks = checks.checked_sub(1).ok_or(Untrusted::TooCostly)?;
    Ok(certificate.is_signed_by(issuer.public_key()))
}

#[cfg(test)]
mod tests;
