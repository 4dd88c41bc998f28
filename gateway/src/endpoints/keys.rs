//! An account's own API keys, by paths of Rialto's own. Refuses to know who may hand out what.

use super::{
    Answer::Good,
    Endpoint,
    Method::{Delete, Get, Post, Put},
    Object, Parameter, Section, Shape, endpoint,
    shape::{field, mandatory, object, optional, sometimes},
};
use crate::calls::Call;
use Shape::{Boolean, Either, List, Null, Text, Time, Word};

pub(super) const SECTION: Section = Section {
    name: "API keys",
    about: "Rialto's own calls by which an account manages its keys, with a key of the scope KEYS. A signed change is \
            carried out once; parameters that a call does not know are refused.",
    endpoints: ENDPOINTS,
};

const KINDS: Shape = Word(&["HMAC", "ED25519", "RSA"]);
const KEY: Object = object(
    "ApiKey",
    "A key that is not revoked.",
    &[&[
        field("apiKey", Text, "Its public name."),
        field("keyType", KINDS, "How its requests are signed."),
        field("scopes", Text, "What it may do: of READ, TRADE, WITHDRAW, KEYS, with a comma between."),
        field("ipAllowList", Text, "Addresses and networks that it may be used from; empty: from anywhere."),
        field("label", Text, "Its owner's name for it."),
        field("enabled", Boolean, "Whether it works."),
        field("createTime", Time, "When it was made."),
        field("lastUsedTime", Either(&[Time, Null]), "When it was last used."),
    ]],
);
const MADE: Object = object(
    "NewApiKey",
    "A key that was just made. Its secret is shown here and never again.",
    &[&[
        field("apiKey", Text, "Its public name."),
        field("keyType", KINDS, "How its requests are signed."),
        sometimes("secretKey", Text, "Of an HMAC key."),
        sometimes("privateKey", Text, "Of an Ed25519 pair that was made here: PEM."),
    ]],
);
const REVOKED: Object = object(
    "RevokedApiKey",
    "A key that works no more.",
    &[&[field("apiKey", Text, "Its public name."), field("revoked", Boolean, "Always true.")]],
);

const TARGET: Parameter = mandatory("targetKey", Text, "The key that is meant, by its public name.");
const KIND: Parameter = mandatory("keyType", KINDS, "How the key's requests are to be signed.");
const PUBLIC_KEY: Parameter = optional(
    "publicKey",
    Text,
    "An Ed25519 key, or an RSA key of 2048 to 4096 bits: PEM, the PEM's inside, or an Ed25519 key's 32 bytes in base64. \
     Mandatory for RSA; without it an Ed25519 pair is made.",
);
const ALLOW_LIST: Parameter =
    optional("ipAllowList", Text, "Addresses and networks, with a comma between; empty: from anywhere.");
const LABEL: Parameter = optional("label", Text, "A name of at most 100 characters.");

const REFUSED: (i32, &str) = (-1130, "Says what is wrong: no such key, no such scope, carried out before …");
const BEYOND: (i32, &str) = (-1002, "A key can hand out no more than it has itself.");
const UNREAD: (i32, &str) = (-1104, "Not all sent parameters were read.");

const ENDPOINTS: &[Endpoint] = &[
    endpoint(
        Get,
        "/api/account/keys",
        Call::ListKeys,
        "The account's keys.",
        &[],
        Good(List(&Shape::Object(&KEY))),
    )
    .refuses(&[UNREAD]),
    endpoint(
        Post,
        "/api/account/keys",
        Call::CreateKey,
        "Make a key.",
        &[
            KIND,
            mandatory("scopes", Text, "Of READ, TRADE, WITHDRAW, KEYS, with a comma between."),
            PUBLIC_KEY,
            ALLOW_LIST,
            LABEL,
        ],
        Good(Shape::Object(&MADE)),
    )
    .refuses(&[REFUSED, BEYOND, UNREAD]),
    endpoint(
        Put,
        "/api/account/keys",
        Call::ChangeKey,
        "Turn a key off or on, or change from where it may be used.",
        &[TARGET, optional("enabled", Boolean, "Whether it works."), ALLOW_LIST, LABEL],
        Good(Shape::Object(&KEY)),
    )
    .details("At least one change must be said.")
    .refuses(&[REFUSED, BEYOND, UNREAD]),
    endpoint(
        Delete,
        "/api/account/keys",
        Call::RevokeKey,
        "Revoke a key, for ever.",
        &[TARGET],
        Good(Shape::Object(&REVOKED)),
    )
    .refuses(&[REFUSED, UNREAD]),
    endpoint(
        Post,
        "/api/account/keys/rotate",
        Call::RotateKey,
        "Put a new key in the place of an old one.",
        &[TARGET, KIND, PUBLIC_KEY],
        Good(Shape::Object(&MADE)),
    )
    .details("It has the rights of the old one, which is revoked.")
    .refuses(&[REFUSED, BEYOND, UNREAD]),
];
