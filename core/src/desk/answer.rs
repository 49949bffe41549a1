//! What becomes of a request once its answer is known.

use super::{Desk, Job, Work, wait};
use crate::{error::Result, request::Committed, time::Millis};

impl Desk {
    pub(super) fn conclude(&mut self, job: Job, answer: Result<Committed>, now: Millis) {
        match &job.work {
            Work::Update(_, held) => self.note(held, &answer, now),
            Work::Renew(held) => {
                let renews = self.held.get(held).is_some_and(super::lease::Lease::is_live);
                if renews {
                    self.note(&[*held], &answer, now);
                }
            }
            Work::Claim(claim, until) => match &answer {
                Ok(got) if job.cancelled => {
                    if !got.tasks.is_empty() && !got.repeated {
                        let request = wait::give_back(claim, &got.tasks);
                        return self.give_back(job.ticket, request);
                    }
                    return self.answers.push((job.ticket, Err(wait::cancelled())));
                }
                Ok(got) if got.tasks.is_empty() && !got.repeated && until.is_none_or(|until| until > now) => {
                    let (claim, until) = (claim.clone(), *until);
                    return self.wait(job, &claim, until);
                }
                _ => {}
            },
            Work::GiveBack(_) => {
                let answer = answer.and(Err(wait::cancelled()));
                return self.answers.push((job.ticket, answer));
            }
            Work::Snapshot => {
                if let Ok(committed) = &answer {
                    self.begin_walk(committed.revision);
                }
            }
            Work::Look | Work::Verify(_) => {}
        }
        self.answers.push((job.ticket, answer));
    }
}
