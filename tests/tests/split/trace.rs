//! One message followed from the header of its answer to the row it became.

use serde_json::Value;
use tests::{
    client::{Client, milliseconds_now},
    program,
    split::Split,
};
use ureq::{Agent, http::Request};

/// Places an order whose request has a trace of its own, and returns the trace of the answer.
fn place_traced(client: &Client, gateway: std::net::SocketAddr, trace: Option<&str>) -> (String, Value) {
    let query = format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000&recvWindow=60000&timestamp={}",
        milliseconds_now()
    );
    let signature = client.signature(&query);
    let mut request = Request::post(format!("http://{gateway}/api/v3/order?{query}&signature={signature}"))
        .header("X-MBX-APIKEY", client.api_key());
    if let Some(trace) = trace {
        request = request.header("X-Rialto-Trace", trace);
    }
    let config = Agent::config_builder().http_status_as_error(false).proxy(None).build();
    let mut answer = Agent::from(config).run(request.body(()).expect("a request")).expect("an answer");
    let header =
        answer.headers().get("X-Rialto-Trace").expect("each answer has a trace").to_str().expect("text");
    let trace = header.to_owned();
    let body = answer.body_mut().read_to_string().expect("a text");
    (trace, serde_json::from_str(&body).expect("JSON"))
}

#[test]
fn a_message_is_followed_from_its_answers_header_to_its_events() {
    let split = Split::start(1);
    let (client, gateway) = (split.client(1, 0), split.gateways[0].1);
    let configuration = split.directory().join("engine.toml");
    let configuration = configuration.to_str().expect("text");
    let (made, _) = place_traced(&client, gateway, None);
    let (chosen, placed) = place_traced(&client, gateway, Some("c0ffee"));
    assert_eq!(chosen, "0000000000c0ffee");
    let (other, _) = place_traced(&client, gateway, Some("not a trace"));
    for (trace, number) in [(&made, 1), (&chosen, 2), (&other, 3)] {
        let ways = program::run_json(["trace", trace, "--config", configuration, "--json"]);
        let [way] = ways.as_array().expect("a list").as_slice() else { panic!("one message: {ways}") };
        let command = &way["command"];
        assert_eq!(
            (command["source"].as_u64(), command["number"].as_u64()),
            (Some(16), Some(number)),
            "{way}"
        );
        assert_eq!(command["trace"], trace.as_str());
        assert_eq!(way["events"][0]["event"], "OrderAccepted", "{way}");
        assert!(way["event_log"]["last"].as_u64() >= command["sequence"].as_u64(), "{way}");
        if *trace == chosen {
            assert_eq!(way["events"][0]["order_id"], placed["orderId"], "{way}");
            let sequence = command["sequence"].to_string();
            let by_place =
                program::run_json(["trace", "--sequence", &sequence, "--config", configuration, "--json"]);
            assert_eq!(by_place[0]["command"], *command);
        }
    }
    let nobody = program::run(["trace", "deadbeef", "--config", configuration]);
    assert_eq!(nobody.status.code(), Some(1), "{}", String::from_utf8_lossy(&nobody.stderr));
    let table = program::run(["trace", &chosen, "--config", configuration]);
    println!("{}", String::from_utf8_lossy(&table.stdout));
}
