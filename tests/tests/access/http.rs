//! One HTTP request over any stream, as bytes. Refuses to know what carries them.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Name, in small letters, and value.
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends a request and reads its answer; the stream stays open.
pub fn ask(stream: &mut (impl Read + Write), method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).expect("the connection stands");
    stream.flush().expect("the connection stands");
    read(stream)
}

fn read(stream: &mut impl Read) -> Answer {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("an answer");
        assert!(!line.is_empty(), "the connection ended before its answer");
        line.trim_end().to_owned()
    };
    let first = line();
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer of HTTP: {first}"));
    let mut headers = Vec::new();
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.expect("answers say their length").1.parse().expect("a number");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the whole body");
    Answer { status, headers, body: serde_json::from_slice(&body).expect("answers are JSON") }
}
