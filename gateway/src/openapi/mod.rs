//! The API's document, for programs (`/api/openapi.json`) and for people (`/api/docs`), made once from the
//! endpoints' own tables. Refuses to know what a call does.

mod document;
mod page;
mod schema;

use crate::Gateway;
use axum::{
    Router,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
    routing::get,
};
use std::sync::OnceLock;

/// Where the document is for programs.
pub(crate) const DOCUMENT: &str = "/api/openapi.json";
/// Where it is for people.
pub(crate) const PAGE: &str = "/api/docs";

/// The two paths. They are no calls of the dialect, and stand in no document.
pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route(DOCUMENT, get(async || text("application/json", json())))
        .route(PAGE, get(async || text("text/html;charset=UTF-8", html())))
}

/// The document as JSON.
pub(crate) fn json() -> &'static str {
    static JSON: OnceLock<String> = OnceLock::new();
    JSON.get_or_init(|| {
        serde_json::to_string(&document::document()).expect("a document has text keys and no fallible parts")
    })
}

fn html() -> &'static str {
    static HTML: OnceLock<String> = OnceLock::new();
    HTML.get_or_init(page::html)
}

fn text(kind: &'static str, body: &'static str) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::{self, Shape};
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_in_the_document_and_the_other_way_round() {
        let document: Value = serde_json::from_str(json()).unwrap();
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(move |method| (path.clone(), method.to_uppercase()))
            })
            .collect();
        let routes: BTreeSet<(String, String)> = endpoints::all()
            .map(|endpoint| (endpoint.path.to_owned(), document::method_name(endpoint.method).to_owned()))
            .collect();
        assert_eq!(documented, routes);
    }

    #[test]
    fn what_is_referred_to_is_there() {
        let document: Value = serde_json::from_str(json()).unwrap();
        let text = json();
        for (at, _) in text.match_indices("#/components/schemas/") {
            let name = text[at..].trim_start_matches("#/components/schemas/").split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn the_page_tells_of_every_endpoint_and_links_lead_somewhere() {
        let page = html();
        for endpoint in endpoints::all() {
            assert!(page.contains(endpoint.path) && page.contains(endpoint.summary), "{}", endpoint.path);
            if let endpoints::Answer::Good(Shape::Object(object)) = endpoint.answer {
                assert!(page.contains(&format!("id=\"{}\"", object.name)), "{}", object.name);
            }
        }
        for (at, _) in page.match_indices("href=\"#") {
            let target = page[at + 7..].split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
        }
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing from elsewhere");
    }
}
