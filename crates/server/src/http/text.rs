//! Texts that people type, as they come in requests.

use super::problem::Problem;

/// What somebody wrote, without blanks around it: at most so many characters, and no control
/// characters but line breaks. `what` names it to the person.
///
/// # Errors
/// The problem to answer with.
pub(super) fn sentence(text: &str, what: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > most {
        let error = format!("{what} has at most {most} characters");
        return Err(Problem::bad_request(error));
    }
    if text
        .chars()
        .any(|letter| letter.is_control() && letter != '\n')
    {
        let error = format!("{what} has no control characters");
        return Err(Problem::bad_request(error));
    }
    Ok(text.to_owned())
}
