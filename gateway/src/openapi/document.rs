//! The OpenAPI document of the REST API, from the endpoints' tables: paths, parameters, answers,
//! refusals. Refuses to describe what is not in the tables.

use super::schema::{Components, parameter as parameter_schema, schema};
use crate::{
    calls::Access,
    endpoints::{Answer, Endpoint, Field, Method, Object, Parameter, SECTIONS, Section, Shape},
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi,
    OpenApiBuilder, OpenApiVersion, PathItem, PathsBuilder, RefOr, Required, Response, ResponseBuilder,
    ResponsesBuilder,
    path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
    security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    tag::TagBuilder,
};

/// What goes for the whole API.
const ABOUT: &str = "The REST API of Rialto, a spot exchange, in the words of Binance Spot.\n\n\
    Parameters are in the query, or in the body: a form (whatever its Content-Type says) or a JSON object; \
    where both have a name, the query's value stands. Names that a call does not know are passed over; one \
    that comes twice is refused (-1101).\n\n\
    A signed call has the header `X-MBX-APIKEY`, a `timestamp`, and a `signature` of the query (without the \
    signature) directly followed by the body: HMAC-SHA256 as hexadecimal digits, or Ed25519 in base64. The \
    order of checks: key, mandatory parameters, timestamp, signature, then the call's own.\n\n\
    Prices, quantities and amounts are texts with eight decimals. Times are milliseconds since 1970, or \
    microseconds with the header `X-MBX-TIME-UNIT: MICROSECOND`.\n\n\
    Every refusal is `{\"code\": …, \"msg\": …}`. HTTP 5xx means that what became of the request is not known.";

const KEY_SCHEME: &str = "apiKey";

/// Refusals that every call may meet.
const ANYWHERE: &[(i32, &str)] = &[
    (-1100, "Illegal characters found in parameter '(name)'; legal range is '(range)'."),
    (-1101, "Duplicate values for parameter '(name)' detected."),
    (-1102, "Mandatory parameter '(name)' was not sent, was empty/null, or malformed."),
    (-1108, "Parameter '(name)' overflowed."),
    (-1130, "Data sent for parameter '(name)' is not valid."),
    (-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."),
];
/// Refusals that every signed call may meet.
const SIGNED: &[(i32, &str)] = &[
    (-1021, "Timestamp for this request is outside of the recvWindow."),
    (-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
    (-1022, "Signature for this request is not valid."),
    (-1131, "recvWindow must be less than 60000"),
];

const CODE: &[Field] = &[
    Field { name: "code", shape: Shape::Integer, about: "The dialect's code, negative.", always: true },
    Field { name: "msg", shape: Shape::Text, about: "The text that goes with it.", always: true },
    Field {
        name: "data",
        shape: Shape::Object(&HALVES),
        about: "What a cancel-replace did before it failed.",
        always: false,
    },
];
const REFUSAL: Object = Object {
    name: "Refusal",
    about: "What a client is told when the answer is no.",
    groups: &[CODE],
    open: false,
};
const HALVES: Object = Object {
    name: "CancelReplaceHalves",
    about: "The two halves of a cancel-replace that failed, as in CancelReplaced.",
    groups: &[],
    open: true,
};

/// Parameters of every signed call.
const SIGNED_PARAMETERS: [Parameter; 3] = [
    Parameter {
        name: "timestamp",
        shape: Shape::Integer,
        about: "When the request was made: milliseconds, or microseconds, since 1970.",
        mandatory: true,
    },
    Parameter {
        name: "recvWindow",
        shape: Shape::Integer,
        about: "For how many milliseconds it is good: 5000 when not said, at most 60000.",
        mandatory: false,
    },
    Parameter { name: "signature", shape: Shape::Text, about: "The signature.", mandatory: true },
];

/// The document.
pub(super) fn document() -> OpenApi {
    let mut components = Components::new();
    let refusal = schema(Shape::Object(&REFUSAL), &mut components);
    let mut paths = PathsBuilder::new();
    for section in SECTIONS {
        for endpoint in section.endpoints {
            let operation = operation(section, endpoint, &refusal, &mut components);
            paths = paths.path(endpoint.path, PathItem::new(http_method(endpoint.method), operation));
        }
    }
    let key = ApiKeyValue::with_description("X-MBX-APIKEY", "The key; the request is signed beside.");
    let components = components
        .into_iter()
        .fold(ComponentsBuilder::new(), |builder, (name, schema)| builder.schema(name, schema))
        .security_scheme(KEY_SCHEME, SecurityScheme::ApiKey(ApiKey::Header(key)));
    let mut document =
        OpenApiBuilder::new()
            .info(
                InfoBuilder::new()
                    .title("Rialto")
                    .version(env!("CARGO_PKG_VERSION"))
                    .description(Some(ABOUT))
                    .license(Some(
                        LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build(),
                    )),
            )
            .tags(Some(SECTIONS.iter().map(|section| {
                TagBuilder::new().name(section.name).description(Some(section.about)).build()
            })))
            .paths(paths)
            .components(Some(components.build()))
            .build();
    // The version that tools read today.
    document.openapi = OpenApiVersion::Version31;
    document
}

pub(super) const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    }
}

const fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Delete => HttpMethod::Delete,
    }
}

fn operation(
    section: &Section,
    endpoint: &Endpoint,
    refusal: &RefOr<utoipa::openapi::Schema>,
    components: &mut Components,
) -> Operation {
    let signed = matches!(endpoint.call.access(), Access::Signed(_));
    let common: &[Parameter] = if signed { &SIGNED_PARAMETERS } else { &[] };
    let mut builder = OperationBuilder::new()
        .tag(section.name)
        .summary(Some(endpoint.summary))
        .operation_id(Some(operation_id(endpoint)))
        .responses(responses(endpoint, signed, refusal, components));
    if !endpoint.details.is_empty() {
        builder = builder.description(Some(endpoint.details));
    }
    for parameter in endpoint.parameters.iter().chain(common) {
        builder = builder.parameter(
            ParameterBuilder::new()
                .name(parameter.name)
                .parameter_in(ParameterIn::Query)
                .required(if parameter.mandatory { Required::True } else { Required::False })
                .description(Some(parameter.about))
                .schema(Some(parameter_schema(parameter.shape))),
        );
    }
    builder = builder.parameter(
        ParameterBuilder::new()
            .name("X-MBX-TIME-UNIT")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The unit of times in the answer; MILLISECOND when not said."))
            .schema(Some(parameter_schema(Shape::Word(&[
                "MILLISECOND",
                "MICROSECOND",
                "millisecond",
                "microsecond",
            ])))),
    );
    if signed {
        builder = builder.security(SecurityRequirement::new(KEY_SCHEME, [] as [&str; 0]));
    }
    builder.build()
}

/// `get /api/v3/order` is `get-api-v3-order`.
fn operation_id(endpoint: &Endpoint) -> String {
    format!("{}{}", method_name(endpoint.method).to_lowercase(), endpoint.path.replace('/', "-"))
}

fn responses(
    endpoint: &Endpoint,
    signed: bool,
    refusal: &RefOr<utoipa::openapi::Schema>,
    components: &mut Components,
) -> ResponsesBuilder {
    let refused = |about: String| -> Response {
        ResponseBuilder::new()
            .description(about)
            .content("application/json", ContentBuilder::new().schema(Some(refusal.clone())).build())
            .build()
    };
    let mut builder = ResponsesBuilder::new()
        .response("400", refused(refusals(endpoint, signed)))
        .response("404", refused("There is no such path (-1020).".to_owned()))
        .response("405", refused("The path is not for that method (-1020).".to_owned()))
        .response("406", refused("The client takes nothing but SBE; answers are JSON (-1020).".to_owned()))
        .response("413", refused("More than 65536 bytes (-1130).".to_owned()))
        .response(
            "418",
            refused("Banned for a while: the limits were passed again and again (-1003).".to_owned()),
        )
        .response(
            "429",
            refused("A limit was passed; `Retry-After` says for how many seconds (-1003, -1015).".to_owned()),
        )
        .response("500", refused("What became of the request is not known (-1000, -1006).".to_owned()))
        .response("503", refused("Nothing was done; ask again later (-1008, -1016).".to_owned()));
    if signed {
        let text = "The key has no key's form (-2014), or may not do this, or not from here (-2015).";
        builder = builder.response("401", refused(text.to_owned()));
    }
    match endpoint.answer {
        Answer::Good(shape) => {
            let content = ContentBuilder::new().schema(Some(schema(shape, components))).build();
            let weight = HeaderBuilder::new()
                .schema(Some(parameter_schema(Shape::Integer)))
                .description(Some("The weight that the client's address has used this minute."))
                .build();
            let mut good = ResponseBuilder::new()
                .description(endpoint.summary)
                .content("application/json", content)
                .header(weight_header(endpoint), weight);
            for media_type in endpoint.texts {
                let text = ContentBuilder::new().schema(Some(parameter_schema(Shape::Text))).build();
                good = good.content(*media_type, text);
            }
            builder = builder.response("200", good.build());
        }
        Answer::Never(status) => {
            builder = builder.response(status.to_string(), refused(refusals(endpoint, signed)));
        }
    }
    if endpoint.refusals.iter().any(|(code, _)| *code == -2021) {
        builder =
            builder.response("409", refused("One half was done (-2021); `data` says which.".to_owned()));
    }
    builder
}

fn weight_header(endpoint: &Endpoint) -> &'static str {
    if endpoint.path.starts_with("/sapi") { "X-SAPI-USED-IP-WEIGHT-1M" } else { "X-MBX-USED-WEIGHT-1M" }
}

/// The codes and texts that a call refuses with.
fn refusals(endpoint: &Endpoint, signed: bool) -> String {
    let signed: &[(i32, &str)] = if signed { SIGNED } else { &[] };
    let lines = endpoint.refusals.iter().chain(ANYWHERE).chain(signed);
    lines.fold("Refused:\n".to_owned(), |text, (code, message)| format!("{text}\n- {code} {message}"))
}
