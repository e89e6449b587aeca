//! What can be known about things that change while others look at them.
//!
//! Every request is sent at one tick of the model's clock and answered at a later one; what it
//! did, it did somewhere in between. So an answer may show any state that held at some moment of
//! its span, and no other: nothing that had ended, by an acknowledged change, before it was sent,
//! and nothing that began after it was answered.

/// A moment: ticks are drawn under the world's lock, before sending and after the answer.
pub(crate) type Tick = u64;

/// The answer has not come yet, or does not tell.
pub(crate) const PENDING: Tick = Tick::MAX;

/// When a request was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) sent: Tick,
    pub(crate) answered: Tick,
}

/// What has to be the case, as far as the model can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It has to work.
    Alive,
    /// Something is under way: either is right.
    Open,
    /// It must not work.
    Dead,
}

impl Fate {
    pub(crate) fn of_chances(may_work: bool, may_fail: bool) -> Fate {
        match (may_work, may_fail) {
            (true, false) => Fate::Alive,
            (true, true) => Fate::Open,
            (false, _) => Fate::Dead,
        }
    }

    pub(crate) fn may_work(self) -> bool {
        self != Fate::Dead
    }

    pub(crate) fn may_fail(self) -> bool {
        self != Fate::Alive
    }
}

/// Something that ends, or may have ended, another thing for good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// Also names the request that did it.
    pub(crate) sent: Tick,
    /// [`PENDING`] while nobody knows whether it happened.
    pub(crate) answered: Tick,
}

impl Ending {
    pub(crate) fn fate(self, seen: Span) -> Fate {
        Fate::of_chances(seen.sent < self.answered, self.sent < seen.answered)
    }
}

/// What these endings, but that of one request, made of a thing that was there before them.
pub(crate) fn ended(endings: &[Ending], seen: Span, except: Tick) -> Fate {
    let others = endings.iter().filter(|ending| ending.sent != except);
    others
        .map(|ending| ending.fate(seen))
        .max()
        .unwrap_or(Fate::Alive)
}

/// Notes how the request came out: it did end the thing, it did not, or nobody knows.
pub(crate) fn conclude(endings: &mut Vec<Ending>, sent: Tick, outcome: Ended) {
    match outcome {
        Ended::At(tick) => {
            for ending in endings.iter_mut().filter(|ending| ending.sent == sent) {
                ending.answered = tick;
            }
        }
        Ended::Not => endings.retain(|ending| ending.sent != sent),
        Ended::Perhaps => {}
    }
}

/// How a request came out that may end something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    At(Tick),
    Not,
    Perhaps,
}

struct Change<T> {
    sent: Tick,
    answered: Tick,
    value: T,
    /// Ends what was begun under earlier values.
    ends: bool,
}

/// A record that one administrator changes, one change after the other.
pub(crate) struct Register<T>(Vec<Change<T>>);

impl<T: Clone> Register<T> {
    pub(crate) fn new(value: T) -> Register<T> {
        let (sent, answered) = (0, 0);
        Register(vec![Change {
            sent,
            answered,
            value,
            ends: false,
        }])
    }

    /// The value after the last change, acknowledged or not.
    pub(crate) fn latest(&self) -> &T {
        &self.0.last().unwrap().value
    }

    /// The value after the last change that was acknowledged.
    pub(crate) fn known(&self) -> &T {
        let known = self.0.iter().rfind(|change| change.answered != PENDING);
        &known.unwrap().value
    }

    pub(crate) fn begin(&mut self, sent: Tick, value: T, ends: bool) {
        let answered = PENDING;
        self.0.push(Change {
            sent,
            answered,
            value,
            ends,
        });
    }

    pub(crate) fn finish(&mut self, answered: Tick) {
        self.0.last_mut().unwrap().answered = answered;
    }

    /// The values that it had at some moment of the span, with their positions.
    fn held(&self, seen: Span) -> impl Iterator<Item = (usize, &T)> {
        let first = self
            .0
            .iter()
            .rposition(|change| change.answered < seen.sent);
        let changes = self.0.iter().enumerate().skip(first.unwrap_or(0));
        let begun = changes.filter(move |(_, change)| change.sent < seen.answered);
        begun.map(|(index, change)| (index, &change.value))
    }

    /// The values that it had at some moment of the span.
    pub(crate) fn values(&self, seen: Span) -> impl Iterator<Item = &T> {
        self.held(seen).map(|(_, value)| value)
    }

    /// Whether a request in that span passes that needs such a value.
    pub(crate) fn fate(&self, seen: Span, passes: impl Fn(&T) -> bool) -> Fate {
        let may_work = self.values(seen).any(&passes);
        Fate::of_chances(may_work, self.values(seen).any(|value| !passes(value)))
    }

    /// What the changes that end things made of one that was begun in `birth`, for which the
    /// value had to pass.
    pub(crate) fn survival(&self, birth: Span, seen: Span, passes: impl Fn(&T) -> bool) -> Fate {
        let mut fate = Fate::Alive;
        for (index, change) in self.0.iter().enumerate() {
            if !change.ends || change.answered < birth.sent || change.sent > seen.answered {
                continue;
            }
            let overlaps = change.sent < birth.answered;
            let earlier = self
                .held(birth)
                .any(|(at, value)| at < index && passes(value));
            if overlaps && !earlier {
                continue;
            }
            let later = |(at, change): (usize, &Change<T>)| {
                at >= index && change.sent < birth.answered && passes(&change.value)
            };
            let perhaps_after = overlaps && self.0.iter().enumerate().any(later);
            let certain = !perhaps_after && change.answered < seen.sent;
            fate = fate.max(if certain { Fate::Dead } else { Fate::Open });
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, Register, Span};

    fn span(sent: u64, answered: u64) -> Span {
        Span { sent, answered }
    }

    #[test]
    fn a_value_shows_from_when_its_change_was_sent_until_the_next_was_acknowledged() {
        let mut register = Register::new(1);
        register.begin(10, 2, false);
        assert_eq!(register.fate(span(5, 8), |value| *value == 1), Fate::Alive);
        assert_eq!(register.fate(span(5, 11), |value| *value == 1), Fate::Open);
        register.finish(20);
        assert_eq!(register.fate(span(15, 30), |value| *value == 2), Fate::Open);
        assert_eq!(
            register.fate(span(21, 30), |value| *value == 2),
            Fate::Alive
        );
        assert_eq!(register.fate(span(21, 30), |value| *value == 1), Fate::Dead);
    }

    #[test]
    fn what_was_begun_before_an_end_is_over_when_the_end_is_acknowledged() {
        let mut enabled = Register::new(true);
        enabled.begin(10, false, true);
        enabled.finish(20);
        let fate = |enabled: &Register<bool>, birth, seen| enabled.survival(birth, seen, |on| *on);
        assert_eq!(fate(&enabled, span(1, 2), span(3, 4)), Fate::Alive);
        assert_eq!(fate(&enabled, span(1, 2), span(15, 30)), Fate::Open);
        assert_eq!(fate(&enabled, span(1, 2), span(21, 30)), Fate::Dead);
        // Begun meanwhile, it was begun before: afterwards the value would not have allowed it.
        assert_eq!(fate(&enabled, span(15, 25), span(26, 30)), Fate::Dead);
        enabled.begin(40, true, false);
        enabled.finish(50);
        assert_eq!(fate(&enabled, span(15, 25), span(60, 61)), Fate::Dead);
        assert_eq!(fate(&enabled, span(15, 45), span(60, 61)), Fate::Open);
        assert_eq!(fate(&enabled, span(51, 52), span(60, 61)), Fate::Alive);
    }
}
