//! The words in which an endpoint is described: what its parameters and answers look like. Values known
//! at compile time, from which the OpenAPI document is made. Refuses to know any endpoint.

/// What a value looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// A number as text: `"0.00000000"`, exactly eight decimals in answers.
    Decimal,
    /// A change in percent as text: `"-1.250"`, three decimals.
    Percent,
    /// A whole number.
    Integer,
    /// A whole number of the unit that `X-MBX-TIME-UNIT` asks for, since 1970.
    Time,
    /// `true` or `false`.
    Boolean,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// JSON's null.
    Null,
    /// Any number of these.
    List(&'static Shape),
    /// An array with these at its places.
    Row(&'static [Shape]),
    /// An object.
    Object(&'static Object),
    /// Any of these.
    Either(&'static [Shape]),
}

/// An object that answers are made of: a component of the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    /// Unique over all objects.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// Its fields, in groups that objects share.
    pub(crate) groups: &'static [&'static [Field]],
    /// Whether it may have others beside.
    pub(crate) open: bool,
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) about: &'static str,
    /// Whether it is always there.
    pub(crate) always: bool,
}

/// A parameter of a call, in its query or body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) about: &'static str,
    /// Whether the call cannot do without.
    pub(crate) mandatory: bool,
}

/// An object of these groups of fields and no others.
pub(crate) const fn object(
    name: &'static str,
    about: &'static str,
    groups: &'static [&'static [Field]],
) -> Object {
    Object { name, about, groups, open: false }
}

/// A field that is always there.
pub(crate) const fn field(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, about, always: true }
}

/// A field that is there when what it says is so.
pub(crate) const fn sometimes(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, about, always: false }
}

/// A parameter that a call cannot do without.
pub(crate) const fn mandatory(name: &'static str, shape: Shape, about: &'static str) -> Parameter {
    Parameter { name, shape, about, mandatory: true }
}

/// A parameter that may be left out.
pub(crate) const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Parameter {
    Parameter { name, shape, about, mandatory: false }
}
