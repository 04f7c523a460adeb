//! Asking the local network for the address of a name, for whoever does not know mDNS itself.
//!
//! The one end is for those who ask; the other is for discovery, which may be off.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Most questions that wait; beyond it there is no answer.
const MOST_WAITING: usize = 4;

/// How long an answer is waited for, which discovery gives sooner.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// For those who ask.
#[derive(Debug, Clone)]
pub struct Resolver(mpsc::Sender<Question>);

/// For whoever answers.
#[derive(Debug)]
pub struct Questions(mpsc::Receiver<Question>);

/// Which addresses a name has.
#[derive(Debug)]
pub struct Question {
    /// The name; it ends in `.local`.
    pub name: String,
    answer: oneshot::Sender<Vec<IpAddr>>,
}

/// Both ends.
#[must_use]
pub fn resolver() -> (Resolver, Questions) {
    let (ask, asked) = mpsc::channel(MOST_WAITING);
    (Resolver(ask), Questions(asked))
}

impl Resolver {
    /// The addresses of a name; empty when nobody on the network answers in time, none when the network
    /// cannot be asked.
    pub async fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let (answer, answered) = oneshot::channel();
        let name = name.to_owned();
        self.0.try_send(Question { name, answer }).ok()?;
        timeout(ANSWER_WITHIN, answered).await.ok()?.ok()
    }
}

impl Questions {
    /// The next question; waits for ever once nobody asks any more. Loses nothing when it is dropped.
    pub async fn next(&mut self) -> Question {
        match self.0.recv().await {
            Some(question) => question,
            None => std::future::pending().await,
        }
    }
}

impl Question {
    /// Answers it. Dropping it instead says that the network cannot be asked.
    pub fn answer(self, addresses: Vec<IpAddr>) {
        // Whoever asked may have given up.
        let _ = self.answer.send(addresses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_is_answered_or_cannot_be_asked() {
        let (resolver, mut questions) = resolver();
        let address: IpAddr = [192, 168, 1, 9].into();
        let answering = async {
            let question = questions.next().await;
            assert_eq!(question.name, "a.local");
            question.answer(vec![address]);
            drop(questions.next().await);
        };
        let asking = async {
            assert_eq!(resolver.addresses("a.local").await, Some(vec![address]));
            assert_eq!(resolver.addresses("b.local").await, None);
        };
        tokio::join!(answering, asking);
        drop(questions);
        assert_eq!(resolver.addresses("c.local").await, None);
    }

    #[tokio::test]
    async fn more_than_a_few_questions_do_not_wait() {
        let (resolver, _questions) = resolver();
        let waiting: Vec<_> = (0..MOST_WAITING)
            .map(|_| {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.addresses("a.local").await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(resolver.addresses("b.local").await, None);
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
