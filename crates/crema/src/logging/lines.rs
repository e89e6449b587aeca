//! Log events as lines: readable text, or one JSON object each.
//!
//! A line has the moment, the level, where in the program it comes from, the message, and the
//! fields of the event and of the spans around it (the request's id, above all). Nobody can make
//! a line break or a terminal's control character stand in it.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use crema_document::{Clock as _, SystemClock};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use super::queue::Entry;

thread_local! {
    /// Kept between lines, so that a line allocates nothing.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
    /// The last second and its text: most lines are of the same one.
    static SECOND: Cell<(i64, String)> = const { Cell::new((0, String::new())) };
}

/// Writes every event as a line.
pub(super) struct Lines {
    format: LogFormat,
    coloured: bool,
    /// Where lines go; straight to stderr without it.
    entry: Option<Entry>,
}

/// The fields of a span.
#[derive(Default)]
struct SpanFields(Vec<(&'static str, String)>);

impl Lines {
    pub(super) fn new(format: LogFormat, coloured: bool, entry: Option<Entry>) -> Lines {
        Lines {
            format,
            coloured,
            entry,
        }
    }

    fn write(&self, line: &mut String, event: &Event<'_>, context: &Context<'_, impl Lookup>) {
        let metadata = event.metadata();
        match self.format {
            LogFormat::Text => {
                put_time(line);
                line.push_str(level(*metadata.level(), self.coloured));
                line.push_str(metadata.target());
                line.push(':');
                event.record(&mut MessageInText(line));
                event.record(&mut FieldsInText(line));
            }
            LogFormat::Json => {
                line.push_str("{\"timestamp\":\"");
                put_time(line);
                line.push_str("\",\"level\":\"");
                line.push_str(metadata.level().as_str());
                line.push_str("\",\"target\":\"");
                line.push_str(metadata.target());
                line.push('"');
                event.record(&mut FieldsInJson(line));
            }
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                for (name, value) in fields {
                    match self.format {
                        LogFormat::Text => FieldsInText(line).put(name, value),
                        LogFormat::Json => FieldsInJson(line).put_text(name, value),
                    }
                }
            }
        }
        line.push_str(match self.format {
            LogFormat::Text => "\n",
            LogFormat::Json => "}\n",
        });
    }
}

/// A subscriber that knows its spans.
trait Lookup: Subscriber + for<'a> LookupSpan<'a> {}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Lookup for S {}

impl<S: Lookup> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let (Some(span), false) = (context.span(id), fields.0.is_empty()) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut extensions = span.extensions_mut();
        if let Some(fields) = extensions.get_mut::<SpanFields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = LINE.take();
        line.clear();
        self.write(&mut line, event, &context);
        match &self.entry {
            Some(entry) => entry.push(&line, *event.metadata().level() <= Level::WARN),
            // There is nobody to tell when stderr does not take it.
            None => {
                let _ = io::stderr().write_all(line.as_bytes());
            }
        }
        LINE.set(line);
    }
}

/// The present moment in UTC, RFC 3339, to the microsecond.
fn put_time(line: &mut String) {
    let now = SystemClock.now().micros();
    let (second, micros) = (now.div_euclid(1_000_000), now.rem_euclid(1_000_000));
    let (mut known, mut text) = SECOND.take();
    if known != second || text.is_empty() {
        known = second;
        text = calendar(second);
    }
    line.push_str(&text);
    SECOND.set((known, text));
    line.push('.');
    let mut place = 100_000;
    while place > 0 {
        let digit = u8::try_from(micros / place % 10).unwrap_or(0);
        line.push(char::from(b'0' + digit));
        place /= 10;
    }
    line.push('Z');
}

/// Date and time of a second since 1970, without the `Z`.
fn calendar(second: i64) -> String {
    let (day, second) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    // Days since 0000-03-01 of the proleptic Gregorian calendar: years that begin in March have
    // their leap day at the end.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + era * 400 + later;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

fn level(level: Level, coloured: bool) -> &'static str {
    match (level, coloured) {
        (Level::ERROR, false) => " ERROR ",
        (Level::WARN, false) => "  WARN ",
        (Level::INFO, false) => "  INFO ",
        (Level::DEBUG, false) => " DEBUG ",
        (Level::TRACE, false) => " TRACE ",
        (Level::ERROR, true) => " \u{1b}[31mERROR\u{1b}[0m ",
        (Level::WARN, true) => "  \u{1b}[33mWARN\u{1b}[0m ",
        (Level::INFO, true) => "  \u{1b}[32mINFO\u{1b}[0m ",
        (Level::DEBUG, true) => " \u{1b}[34mDEBUG\u{1b}[0m ",
        (Level::TRACE, true) => " \u{1b}[35mTRACE\u{1b}[0m ",
    }
}

impl Visit for SpanFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

impl SpanFields {
    fn set(&mut self, name: &'static str, value: String) {
        // Names with dots are OpenTelemetry's; the event says the same.
        if name.contains('.') {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

/// Writes the message, in text.
struct MessageInText<'a>(&'a mut String);

impl Visit for MessageInText<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0.push(' ');
            let _ = write!(Printable(self.0), "{value:?}");
        }
    }
}

/// Writes the other fields, in text.
struct FieldsInText<'a>(&'a mut String);

impl FieldsInText<'_> {
    fn name(&mut self, name: &str) {
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push('=');
    }

    fn put(&mut self, name: &str, value: &str) {
        self.name(name);
        if value.is_empty() || value.contains([' ', '"', '=']) {
            let _ = write!(self.0, "{value:?}");
        } else {
            let _ = Printable(self.0).write_str(value);
        }
    }
}

impl Visit for FieldsInText<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() != "message" {
            self.put(field.name(), value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field.name());
        put_number(self.0, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            self.name(field.name());
            let _ = write!(Printable(self.0), "{value:?}");
        }
    }
}

/// Writes all fields, as members of a JSON object that has some already.
struct FieldsInJson<'a>(&'a mut String);

impl FieldsInJson<'_> {
    fn name(&mut self, name: &str) {
        self.0.push_str(",\"");
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn put_text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push('"');
        let _ = InJson(self.0).write_str(value);
        self.0.push('"');
    }
}

impl Visit for FieldsInJson<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field.name());
        put_number(self.0, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field.name());
        let _ = write!(self.0, "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field.name());
        let _ = write!(self.0, "{value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field.name());
        self.0.push('"');
        let _ = write!(InJson(self.0), "{value:?}");
        self.0.push('"');
    }
}

/// A number in decimal digits, without the detour through `fmt`.
fn put_number(line: &mut String, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut length = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        length += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let shown = digits.iter().skip(digits.len() - length);
    line.extend(shown.map(|digit| char::from(*digit)));
}

/// Text without control characters: those are written as escapes.
struct Printable<'a>(&'a mut String);

impl fmt::Write for Printable<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // DEL and the C1 controls, which lead a byte of C2 in UTF-8, are no better than others.
        let plain = |byte: u8| (0x20..0x7f).contains(&byte);
        // All bytes are looked at, without a way out: that is done many at a time.
        if text.bytes().fold(true, |all, byte| all & plain(byte)) {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            match c.is_control() {
                true => self.0.extend(c.escape_default()),
                false => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// Text inside of a JSON string (RFC 8259 §7).
struct InJson<'a>(&'a mut String);

impl fmt::Write for InJson<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
        // All bytes are looked at, without a way out: that is done many at a time.
        if text.bytes().fold(true, |all, byte| all & plain(byte)) {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                c if c.is_control() => write!(self.0, "\\u{:04x}", u32::from(c))?,
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::queue::Queue;
    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged while `work` runs.
    fn logged(format: LogFormat, work: impl FnOnce()) -> String {
        let memory = Memory::default();
        let queue = Queue::start(memory.clone()).unwrap();
        let lines = Lines::new(format, false, Some(queue.entry()));
        tracing::subscriber::with_default(Registry::default().with(lines), work);
        drop(queue);
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    fn work() {
        let span = tracing::info_span!("request", request_id = "first", http.x = 1);
        let _entered = span.enter();
        span.record("request_id", "second");
        tracing::info!(
            site = "a.example",
            none = None::<&str>,
            status = 200_u16,
            "a\"b"
        );
        tracing::warn!(error = %"line\nbreak", debug = ?"q\"", delta = -7, ok = true, "odd");
    }

    #[test]
    fn json_lines_are_objects_with_all_fields() {
        let text = logged(LogFormat::Json, work);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect();
        let [first, second] = lines.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["message"], "a\"b");
        assert_eq!(first["site"], "a.example");
        assert_eq!(first["status"], 200);
        assert_eq!(first["request_id"], "second");
        assert_eq!(first.get("none"), None);
        assert_eq!(first.get("http.x"), None);
        assert!(first["target"].as_str().unwrap().ends_with("tests"));
        assert_eq!(second["level"], "WARN");
        assert_eq!(second["error"], "line\nbreak");
        assert_eq!(second["debug"], "\"q\\\"\"");
        assert_eq!(second["delta"], -7);
        assert_eq!(second["ok"], true);
        assert_eq!(second["request_id"], "second");
    }

    #[test]
    fn text_lines_stay_on_one_line() {
        let text = logged(LogFormat::Text, work);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let first = "tests: a\"b site=a.example status=200 request_id=second";
        assert!(lines[0].ends_with(first), "{text}");
        assert!(lines[0].contains("Z  INFO "), "{text}");
        assert!(lines[1].contains("odd error=line\\nbreak"), "{text}");
        assert!(lines[1].ends_with("ok=true request_id=second"), "{text}");
    }

    #[test]
    fn the_calendar_is_right() {
        for (second, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_795_197_600, "2026-11-20T18:00:00"),
            (4_107_542_399, "2100-02-28T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"),
        ] {
            assert_eq!(calendar(second), text);
        }
    }
}
