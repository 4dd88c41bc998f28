//! From the shapes of the endpoints' tables to JSON schemas. Refuses to know endpoints.

use crate::endpoints::{Object, Shape};
use std::collections::BTreeMap;
use utoipa::openapi::{
    RefOr, Schema,
    schema::{AdditionalProperties, AnyOfBuilder, ArrayBuilder, ArrayItems, ObjectBuilder, Ref, Type},
};

/// A number as text in an answer.
const DECIMAL: &str = r"^-?[0-9]+\.[0-9]{8}$";
/// A change in percent as text.
const PERCENT: &str = r"^-?[0-9]+\.[0-9]{3}$";

/// The objects that schemas refer to, by name.
pub(super) type Components = BTreeMap<&'static str, RefOr<Schema>>;

/// The schema of a value in an answer. Objects go into `components`, and are referred to.
pub(super) fn schema(shape: Shape, components: &mut Components) -> RefOr<Schema> {
    match shape {
        Shape::Text => typed(Type::String).into(),
        Shape::Decimal => typed(Type::String).pattern(Some(DECIMAL)).into(),
        Shape::Percent => typed(Type::String).pattern(Some(PERCENT)).into(),
        Shape::Integer | Shape::Time => typed(Type::Integer).into(),
        Shape::Boolean => typed(Type::Boolean).into(),
        Shape::Word(words) => typed(Type::String).enum_values(Some(words.iter().copied())).into(),
        Shape::Null => typed(Type::Null).into(),
        Shape::List(of) => ArrayBuilder::new().items(items(*of, components)).into(),
        Shape::Row(places) => row(places, components),
        Shape::Either(shapes) => {
            let any =
                shapes.iter().fold(AnyOfBuilder::new(), |any, shape| any.item(schema(*shape, components)));
            any.into()
        }
        Shape::Object(object) => reference(object, components),
    }
}

/// The schema of a parameter: every value is a text of the query, and a number may have fewer decimals
/// than answers have.
pub(super) fn parameter(shape: Shape) -> RefOr<Schema> {
    match shape {
        Shape::Decimal => typed(Type::String).pattern(Some(r"^[0-9]{1,20}(\.[0-9]{1,20})?$")).into(),
        other => schema(other, &mut Components::new()),
    }
}

fn typed(schema_type: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(schema_type)
}

fn items(shape: Shape, components: &mut Components) -> ArrayItems {
    ArrayItems::RefOrSchema(Box::new(schema(shape, components)))
}

/// An array of a fixed length. What stands at each place is said in words: tools of today stumble over
/// `prefixItems`.
fn row(places: &'static [Shape], components: &mut Components) -> RefOr<Schema> {
    let mut kinds: Vec<RefOr<Schema>> = Vec::new();
    for place in places {
        let kind = schema(*place, components);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let any = kinds.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
    ArrayBuilder::new()
        .items(ArrayItems::RefOrSchema(Box::new(any.into())))
        .min_items(Some(places.len()))
        .max_items(Some(places.len()))
        .into()
}

fn reference(object: &'static Object, components: &mut Components) -> RefOr<Schema> {
    if !components.contains_key(object.name) {
        // Before its fields: an object may hold itself.
        components.insert(object.name, typed(Type::Object).into());
        let built = built(object, components);
        components.insert(object.name, built);
    }
    RefOr::Ref(Ref::from_schema_name(object.name))
}

fn built(object: &'static Object, components: &mut Components) -> RefOr<Schema> {
    let fields = object.groups.iter().copied().flatten();
    let mut builder = typed(Type::Object).description(Some(object.about));
    for field in fields {
        let value = match schema(field.shape, components) {
            RefOr::T(Schema::Object(mut value)) => {
                value.description = Some(field.about.to_owned());
                RefOr::T(Schema::Object(value))
            }
            other => other,
        };
        builder = builder.property(field.name, value);
        if field.always {
            builder = builder.required(field.name);
        }
    }
    if !object.open {
        builder = builder.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    }
    builder.into()
}
