//! The document as a page for people: one file, no script, nothing from elsewhere, so that it can be read
//! without a network. Refuses to say anything that the tables do not.

use super::document::method_name;
use crate::{
    calls::Access,
    endpoints::{Answer, Endpoint, Object, SECTIONS, Shape},
};
use std::{collections::BTreeSet, fmt::Write as _};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>Rialto: REST API</title><style>\
    body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
    h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}\
    h3{font-size:1rem;margin:1.6rem 0 .2rem}code,h3{font-family:ui-monospace,monospace}\
    table{border-collapse:collapse;width:100%;font-size:.9rem}td{border-top:1px solid #eee;padding:.2rem .6rem .2rem 0;\
    vertical-align:top}td:first-child{white-space:nowrap}.GET{color:#06c}.POST{color:#080}.PUT{color:#a60}.DELETE{color:#b00}\
    nav a{display:inline-block;margin-right:1rem}summary{cursor:pointer;color:#555}\
    @media(prefers-color-scheme:dark){body{color:#ddd;background:#111}td{border-color:#333}}</style>";

/// The page.
pub(super) fn html() -> String {
    let mut page = String::with_capacity(128 * 1024);
    page.push_str(HEAD);
    page.push_str("<h1>Rialto: REST API</h1><p>The same for programs: <a href=\"");
    page.push_str(super::DOCUMENT);
    page.push_str(
        "\">OpenAPI 3.1</a>. In the words of Binance Spot; signed calls have <code>X-MBX-APIKEY</code>, \
        <code>timestamp</code> and <code>signature</code>, and may have <code>recvWindow</code>.</p><nav>",
    );
    for section in SECTIONS {
        // Writing to a String cannot fail, here and below.
        let _ = write!(page, "<a href=\"#{}\">{}</a>", anchor(section.name), escaped(section.name));
    }
    page.push_str("</nav>");
    let mut objects = Vec::new();
    let mut known = BTreeSet::new();
    for section in SECTIONS {
        let name = section.name;
        let _ = write!(
            page,
            "<h2 id=\"{}\">{}</h2><p>{}</p>",
            anchor(name),
            escaped(name),
            escaped(section.about)
        );
        for endpoint in section.endpoints {
            write_endpoint(&mut page, endpoint);
            if let Answer::Good(shape) = endpoint.answer {
                collect(shape, &mut known, &mut objects);
            }
        }
    }
    page.push_str("<h2 id=\"objects\">Objects</h2>");
    for object in objects {
        write_object(&mut page, object);
    }
    page.push_str("</html>");
    page
}

fn write_endpoint(page: &mut String, endpoint: &Endpoint) {
    let method = method_name(endpoint.method);
    let _ = write!(page, "<h3><span class=\"{method}\">{method}</span> {}</h3>", escaped(endpoint.path));
    let access = match endpoint.call.access() {
        Access::Public => "Public.".to_owned(),
        Access::Signed(scopes) => format!("Signed: {scopes}."),
    };
    let _ =
        write!(page, "<p>{} {} <em>{access}</em></p>", escaped(endpoint.summary), escaped(endpoint.details));
    if !endpoint.parameters.is_empty() {
        page.push_str("<table>");
        for parameter in endpoint.parameters {
            let must = if parameter.mandatory { "!" } else { "" };
            let _ = write!(
                page,
                "<tr><td><code>{}{must}</code><td>{}<td>{}",
                parameter.name,
                shape_text(parameter.shape),
                escaped(parameter.about)
            );
        }
        page.push_str("</table>");
    }
    match endpoint.answer {
        Answer::Good(shape) => {
            let _ = write!(page, "<p>Answer: {}</p>", shape_text(shape));
        }
        Answer::Never(status) => {
            let _ = write!(page, "<p>Always refused: HTTP {status}.</p>");
        }
    }
    if !endpoint.refusals.is_empty() {
        page.push_str("<details><summary>Refusals</summary><table>");
        for (code, text) in endpoint.refusals {
            let _ = write!(page, "<tr><td>{code}<td>{}", escaped(text));
        }
        page.push_str("</table></details>");
    }
}

fn write_object(page: &mut String, object: &Object) {
    let _ = write!(page, "<h3 id=\"{0}\">{0}</h3><p>{1}</p><table>", object.name, escaped(object.about));
    for field in object.groups.iter().copied().flatten() {
        let may = if field.always { "" } else { "?" };
        let _ = write!(
            page,
            "<tr><td><code>{}{may}</code><td>{}<td>{}",
            field.name,
            shape_text(field.shape),
            escaped(field.about)
        );
    }
    page.push_str("</table>");
}

fn shape_text(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Decimal => "decimal".to_owned(),
        Shape::Percent => "percent".to_owned(),
        Shape::Integer => "integer".to_owned(),
        Shape::Time => "time".to_owned(),
        Shape::Boolean => "true, false".to_owned(),
        Shape::Word(words) => words.join(", "),
        Shape::Null => "null".to_owned(),
        Shape::List(of) => format!("array of {}", shape_text(*of)),
        Shape::Row(places) => {
            let places: Vec<_> = places.iter().map(|place| shape_text(*place)).collect();
            format!("[{}]", places.join(", "))
        }
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(|shape| shape_text(*shape)).collect();
            shapes.join(" or ")
        }
        Shape::Object(object) => format!("<a href=\"#{0}\">{0}</a>", object.name),
    }
}

/// Every object that a shape leads to, once, in the order of first use.
fn collect(shape: Shape, known: &mut BTreeSet<&'static str>, objects: &mut Vec<&'static Object>) {
    match shape {
        Shape::List(of) => collect(*of, known, objects),
        Shape::Either(shapes) | Shape::Row(shapes) => {
            for shape in shapes {
                collect(*shape, known, objects);
            }
        }
        Shape::Object(object) if known.insert(object.name) => {
            objects.push(object);
            for field in object.groups.iter().copied().flatten() {
                collect(field.shape, known, objects);
            }
        }
        _ => {}
    }
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
