//! XML answers as a small tree. What an answer must not contain is refused before it costs anything: document types
//! and entities, foreign encodings, depth and mass. Names are compared by namespace, since prefixes differ between
//! Monext's own samples.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::errors::{Error as ReaderError, SyntaxError};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceError, NamespaceResolver, ResolveResult};

/// An answer has six levels.
const MAX_DEPTH: usize = 64;
/// A search may list 5000 transactions of some twenty elements each.
const MAX_ELEMENTS: usize = 200_000;
/// The longest text of any element.
const MAX_TEXT: usize = 64 * 1024;
/// The most attributes of one element, and the most namespaces in scope.
const MAX_ATTRIBUTES: usize = 64;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const IMPL: &str = "http://impl.ws.payline.experian.com";
const OBJ: &str = "http://obj.ws.payline.experian.com";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The namespaces that an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::monext) enum Space {
    /// No namespace: what stands in a SOAP fault.
    None,
    /// SOAP 1.1.
    Soap,
    /// Payline's messages and what stands in them directly.
    Impl,
    /// Payline's objects: everything below.
    Obj,
    /// Any other.
    Other,
}

/// One element. Text beside child elements is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::monext) struct Element {
    space: Space,
    name: String,
    nil: bool,
    text: String,
    children: Vec<Element>,
}

/// Why bytes are not an answer in XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::monext) enum XmlError {
    /// Declared as something else than UTF-8 or ISO 8859-1, or not what it is declared as.
    #[error("its encoding is not UTF-8 or ISO-8859-1")]
    Encoding,
    /// It has a document type: nothing that Monext sends.
    #[error("it has a document type declaration")]
    Doctype,
    /// An entity that XML itself does not define.
    #[error("it refers to an entity that XML does not define")]
    Entity,
    /// It has more of something than any answer.
    #[error("it has more {0} than any answer")]
    TooMuch(&'static str),
    /// It ends too early.
    #[error("it is cut short")]
    Truncated,
    /// Not XML, or not well-formed.
    #[error("it is not well-formed XML: {0}")]
    Malformed(String),
}

impl Element {
    /// Whether this is its name.
    pub(in crate::monext) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name == name
    }

    /// All children of a name.
    pub(in crate::monext) fn all<'a>(
        &'a self,
        space: Space,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(space, name))
    }

    /// The first child of a name.
    pub(in crate::monext) fn child(&self, space: Space, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(space, name))
    }

    /// The first child of a name, without the rest.
    pub(in crate::monext) fn into_child(self, space: Space, name: &str) -> Option<Self> {
        self.children.into_iter().find(|child| child.is(space, name))
    }

    /// The text of the first child of a name; none if it is missing, nil or empty.
    pub(in crate::monext) fn text(&self, space: Space, name: &str) -> Option<&str> {
        self.child(space, name).filter(|child| !child.nil && !child.text.is_empty()).map(|child| &*child.text)
    }
}

/// Reads an answer.
pub(in crate::monext) fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    let text = decode(bytes)?;
    let mut reader = NsReader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    reader.resolver_mut().set_max_namespace_bindings(MAX_ATTRIBUTES);
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Start(start) | Event::Empty(start) => tree.open(element(&start, reader.resolver())?)?,
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.add(&text.xml10_content())?,
            Event::CData(text) => tree.add(&text.into_inner())?,
            Event::GeneralRef(reference) => tree.add(resolve(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Decl(_) if tree.count > 0 => {
                return Err(XmlError::Malformed("a declaration in its midst".to_owned()));
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

/// The bytes as text. Only the encodings that a SOAP server uses are taken.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match declared_encoding(bytes).as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
            Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?)
        }
        Some("iso-8859-1" | "latin1") => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
        Some(_) => return Err(XmlError::Encoding),
    };
    if text.chars().any(is_forbidden) {
        return Err(XmlError::Malformed("a control character".to_owned()));
    }
    Ok(text)
}

/// What stands as `encoding` in the declaration, in lower case.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    const LONGEST_DECLARATION: usize = 200;
    let head: String =
        bytes.strip_prefix(b"<?xml")?.iter().take(LONGEST_DECLARATION).copied().map(char::from).collect();
    let (declaration, _) = head.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.split(quote).nth(1).map(str::to_ascii_lowercase)
}

/// XML 1.0, production 2: of the control characters below the blank only tab and line ends.
const fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}') && !matches!(c, '\t' | '\n' | '\r')
}

/// The character of a reference such as `&amp;` or `&#233;`.
fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    if let Some(c) = reference.resolve_char_ref().map_err(wrong)? {
        return if is_forbidden(c) { Err(XmlError::Entity) } else { Ok(c) };
    }
    match reference.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlError::Entity),
    }
}

fn element(start: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Element, XmlError> {
    let mut nil = false;
    for (number, attribute) in start.attributes().enumerate() {
        if number >= MAX_ATTRIBUTES {
            return Err(XmlError::TooMuch("attributes"));
        }
        let attribute = attribute.map_err(|error| wrong(error.into()))?;
        let (space, name) = resolver.resolve_attribute(attribute.key);
        let is_nil = space == ResolveResult::Bound(Namespace(XSI)) && name.into_inner() == "nil";
        nil |= is_nil && matches!(&*attribute.value, "true" | "1");
    }
    let (space, name) = resolver.resolve_element(start.name());
    let space = match space {
        ResolveResult::Unbound => Space::None,
        ResolveResult::Bound(Namespace(SOAP)) => Space::Soap,
        ResolveResult::Bound(Namespace(IMPL)) => Space::Impl,
        ResolveResult::Bound(Namespace(OBJ)) => Space::Obj,
        ResolveResult::Bound(_) => Space::Other,
        ResolveResult::Unknown(_) => {
            return Err(XmlError::Malformed("a prefix without a namespace".to_owned()));
        }
    };
    Ok(Element { space, name: name.into_inner().to_owned(), nil, text: String::new(), children: Vec::new() })
}

fn wrong(error: ReaderError) -> XmlError {
    match error {
        ReaderError::Syntax(SyntaxError::InvalidBangMarkup) => {
            XmlError::Malformed("an unknown kind of markup".to_owned())
        }
        ReaderError::Syntax(_) => XmlError::Truncated,
        ReaderError::Namespace(NamespaceError::TooManyBindings(_)) => XmlError::TooMuch("namespaces"),
        ReaderError::Namespace(NamespaceError::TooDeeplyNested(_)) => XmlError::TooMuch("levels"),
        other @ (ReaderError::IllFormed(_)
        | ReaderError::InvalidAttr(_)
        | ReaderError::Namespace(_)
        | ReaderError::Escape(_)
        | ReaderError::Encoding(_)
        | ReaderError::Io(_)) => XmlError::Malformed(super::super::excerpt(&other.to_string(), 100)),
    }
}

/// The elements that are open, outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), XmlError> {
        self.count += 1;
        if self.root.is_some() {
            return Err(XmlError::Malformed("a second root".to_owned()));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooMuch("levels"));
        }
        if self.count > MAX_ELEMENTS {
            return Err(XmlError::TooMuch("elements"));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let mut element =
            self.open.pop().ok_or_else(|| XmlError::Malformed("an end without a beginning".to_owned()))?;
        element.text =
            if element.children.is_empty() { element.text.trim().to_owned() } else { String::new() };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) if element.text.len().saturating_add(text.len()) > MAX_TEXT => {
                Err(XmlError::TooMuch("text"))
            }
            Some(element) => {
                element.text.push_str(text);
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(XmlError::Malformed("text outside the root".to_owned())),
        }
    }

    fn finish(self) -> Result<Element, XmlError> {
        if self.open.is_empty() { self.root.ok_or(XmlError::Truncated) } else { Err(XmlError::Truncated) }
    }
}
