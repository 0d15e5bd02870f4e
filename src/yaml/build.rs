//! From the parser's events to a tree.
//!
//! Rules: keys are scalars, numbers and booleans among them as written; tags are those of the core schema; what
//! nests deeper than [`MAX_DEPTH`] is refused.

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::anchors::Anchors;
use super::{Entry, Node, Value, YamlError, entries, scalar};

/// How deep lists and mappings may nest, what aliases bring included.
pub const MAX_DEPTH: usize = 128;
/// Reads the text of one document that begins at line `first` of its file.
pub(super) fn document(text: &str, first: u32) -> Result<Node, YamlError> {
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count();
        let column = text[..at].rsplit('\n').next().unwrap_or_default().chars().count();
        return Err(error(
            position(&Marker::new(at, line + 1, column), first),
            "a NUL character is not allowed",
        ));
    }
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder { parser, first, anchors: Anchors::default() };
    let mut root = None;
    while let Some((event, span)) = builder.next()? {
        match event {
            Event::StreamStart | Event::DocumentEnd => {}
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_none() => {
                let (event, span) = builder.expect_next()?;
                root = Some(builder.node(event, span, 0)?);
            }
            _ => return Err(error(builder.place(&span), "a second document begins without `---`")),
        }
    }
    Ok(root.unwrap_or(Node { line: first, column: 1, value: Value::Null }))
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    first: u32,
    anchors: Anchors,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(scan)) => Err(self.scan_error(&scan)),
        }
    }

    fn expect_next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        let end =
            YamlError { line: self.first, column: 1, message: "the document ends too early".to_owned() };
        self.next()?.ok_or(end)
    }

    fn scan_error(&self, scan: &ScanError) -> YamlError {
        error(position(scan.marker(), self.first), scan.info())
    }

    fn place(&self, span: &Span) -> (u32, u32) {
        position(&span.start, self.first)
    }

    /// The node that `event` begins.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let place = self.place(&span);
        if depth > MAX_DEPTH {
            return Err(error(place, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let copy = self.anchors.copy(id, MAX_DEPTH - depth);
                (copy.map_err(|refused| error(place, refused.to_string()))?, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                (scalar_value(&text, style, tag.as_deref(), place)?, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", place)?;
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", place)?;
                (self.mapping(depth)?, anchor)
            }
            _ => return Err(error(place, "a value is expected here")),
        };
        let node = Node { line: place.0, column: place.1, value };
        if anchor != 0 {
            self.anchors.keep(anchor, &node).map_err(|refused| error(place, refused.to_string()))?;
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.expect_next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        loop {
            let (event, span) = match self.expect_next()? {
                (Event::MappingEnd, _) => break,
                begin => begin,
            };
            let (line, column) = self.place(&span);
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = match self.key(event, span, depth + 1)? {
                Some(key) => key,
                None => return Err(error((line, column), "a key is missing before `:`")),
            };
            let (event, span) = self.expect_next()?;
            let value = self.node(event, span, depth + 1)?;
            let list = if merge { &mut merged } else { &mut entries };
            list.push(Entry { line, column, key, value });
        }
        entries::unique(&entries)?;
        entries::unique(&merged)?;
        entries::merge(&mut entries, merged)?;
        Ok(Value::Mapping(entries))
    }

    /// The text of a key; `None` for a null.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Option<String>, YamlError> {
        let place = self.place(&span);
        let written = match &event {
            Event::Scalar(text, ..) => Some(text.to_string()),
            _ => None,
        };
        match self.node(event, span, depth)?.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            Value::Bool(value) => Ok(Some(written.unwrap_or_else(|| value.to_string()))),
            Value::Int(value) => Ok(Some(written.unwrap_or_else(|| value.to_string()))),
            Value::Float(value) => Ok(Some(written.unwrap_or_else(|| value.to_string()))),
            Value::Sequence(_) | Value::Mapping(_) => {
                Err(error(place, "a key must be text, not a list or mapping"))
            }
        }
    }
}

fn position(marker: &Marker, first: u32) -> (u32, u32) {
    let line = u32::try_from(marker.line().saturating_sub(1)).unwrap_or(u32::MAX);
    let column = u32::try_from(marker.col()).unwrap_or(u32::MAX);
    (line.saturating_add(first), column.saturating_add(1))
}

fn error((line, column): (u32, u32), message: impl Into<String>) -> YamlError {
    YamlError { line, column, message: message.into() }
}

fn scalar_value(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    place: (u32, u32),
) -> Result<Value, YamlError> {
    let Some(tag) = tag else {
        let plain = style == ScalarStyle::Plain;
        return Ok(if plain { scalar::plain(text) } else { Value::String(text.to_owned()) });
    };
    if is_bare(tag) {
        return Ok(Value::String(text.to_owned()));
    }
    let Some(suffix) = tag.core_suffix() else { return Err(unsupported(tag, place)) };
    scalar::tagged(suffix, text)
        .ok_or_else(|| error(place, format!("`{text}` does not fit its tag {}", tag.original())))
}

fn check_tag(tag: Option<&Tag>, core: &str, place: (u32, u32)) -> Result<(), YamlError> {
    match tag {
        Some(tag) if !is_bare(tag) && tag.core_suffix() != Some(core) => Err(unsupported(tag, place)),
        _ => Ok(()),
    }
}

/// The tag `!`: no particular type (YAML 1.2.2 §6.9.1).
fn is_bare(tag: &Tag) -> bool {
    tag.original() == "!"
}

fn unsupported(tag: &Tag, place: (u32, u32)) -> YamlError {
    error(place, format!("the tag {} is not supported here", tag.original()))
}
