//! Log events as lines: readable text, or one JSON object each.
//!
//! A line has the moment, the level, where in the program it comes from, the message, and the
//! fields of the event and of the spans around it (the request's id, above all). Nobody can make
//! a line break or a terminal's control character stand in it.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use super::queue::Entry;

thread_local! {
    /// Kept between lines, so that a line allocates nothing.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
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

/// The present moment in UTC, RFC 3339.
fn put_time(line: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(line));
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
        if text.bytes().all(plain) {
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
        if text.bytes().all(plain) {
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
