//! Seeds of what comes besides files: messages, keys, definitions.

use std::path::Path;

use super::{SMALL, Seeds, behind, within};

pub(crate) fn message() -> Seeds {
    let record = r#"{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-02-01T00:00:00.000Z",
        "eventName":"ObjectCreated:Put","s3":{"s3SchemaVersion":"1.0","bucket":{"name":"b"},
        "object":{"key":"a+b%2Fc.csv","size":3,"eTag":"d41d8","versionId":"v","sequencer":"0055AED6DCD90281E5"}}}"#;
    let body = format!("{{\"Records\":[{record},{{\"eventSource\":\"aws:x\"}}]}}");
    let look = r#"{"type":"inlet.look.v1","bucket":"b","key":"k","reason":"replay","force":true,"etag":"e"}"#;
    let bridge = r#"{"version":"0","id":"i","detail-type":"Object Created","source":"aws.s3","time":"2026-02-01T00:00:00Z",
        "detail":{"version":"0","bucket":{"name":"b"},"object":{"key":"k","size":1,"etag":"e","sequencer":"00"},"reason":"PutObject"}}"#;
    let topic = format!("{{\"Type\":\"Notification\",\"Message\":{}}}", serde_json::json!(body));
    let letter =
        format!("{{\"type\":\"inlet.dead_letter.v1\",\"body\":{}}}", serde_json::json!(look));
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
    let mut seeds =
        behind(0, [&body, look, bridge, &topic, &letter, test, "[]", "{\"Records\":[]}"]);
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    seeds.extend(within(Path::new(events), &["json"], SMALL));
    seeds
}

pub(crate) fn path() -> Seeds {
    behind(
        0,
        [
            "daily/{table}/**/*.{csv,tsv}\ndaily/deals/2026/02/01.CSV",
            "**/*.{csv,json}{,.gz,.zst}\na/b/c.csv.gz",
            "{a,b*c,?}/{x}-{y}.csv\nbxc/1-2.csv",
            "**\na/b",
            "a/**/b/*\na/b/c",
            "\\*\\{x\\}/é?*.csv\n*{x}/éa.csv",
        ],
    )
}

pub(crate) fn catalog() -> Seeds {
    let connection =
        "key = 'acme'\nname = 'Acme'\nregion = 'eu-west-1'\nbucket_owner = '123456789012'\n";
    let source = "key = 'deals'\nconnection = 'acme'\nbucket = 'acme-drop'\npath = 'x/{table}/*.csv'\nmode = 'snapshot'\n\
        max_size = '1GB'\ndedup = 'ever'\non_remove = 'keep'\n[format]\nkind = 'csv'\ndelimiter = ';'\nquote = '\"'\n\
        header = 2\nskip_lines = 1\nencoding = 'utf-16le'\nsheet = 1\n[fields]\n'A' = { as = 'a', role = 'id', unique = true }\n\
        B = { type = 'date', format = ['%d/%m/%Y'], min = '2020-01-01', default = '2026-01-01' }\n\
        C = { type = 'decimal', decimal = ',', group = '.', allowed = ['1', '2'] }\nD = { pattern = '[a-z]+', max_length = 3 }\n\
        [records]\nunknown_columns = 'drop'\nnull_values = ['NULL']\ntimezone = 'Europe/Paris'\n[rejects]\npolicy = 'skip'\n\
        max_ratio = 0.5\nstrict = true\n[refresh]\nschedule = 'cron(0 6 * * ? *)'\npoll = 'rate(15 minutes)'\n[limits]\n\
        max_row_bytes = '1MB'\n[[deliver]]\nto = 'sqs'\nqueue_url = 'https://q'\n[[deliver]]\nto = 'file'\n";
    let small = "key = 'a'\nconnection = 'inlet'\nbucket = 'b'\nmode = 'document'\nformat = { pages = true }\n";
    behind(
        0,
        [
            format!("{connection}\u{1c}{source}"),
            source.to_owned(),
            small.to_owned(),
            format!("{connection}\u{1c}{small}"),
        ],
    )
}

pub(crate) fn field() -> Seeds {
    let mut seeds = Vec::new();
    let values = "1\n-2.50\n1.234,5\n2026-02-01\n31/12/2026\n2026-02-01T10:00:00+01:00\n10:30\ntrue\na@b.c\nhttps://x.y/z\n\
        00000000-0000-0000-0000-00000000002a\n{\"a\":1}\n\n - \n1e5\n+007\n";
    for kind in 0..13 {
        seeds.push([&[kind, 0, 0], values.as_bytes()].concat());
        seeds.push([&[kind, 0, 6], values.as_bytes()].concat());
    }
    for (kind, set, settings) in [
        (6, 1, "%d/%m/%Y\n"),
        (7, 1, "%Y-%m-%dT%H:%M:%S%z\n"),
        (7, 129, "%d.%m.%Y %H:%M\nEurope/Paris\n"),
        (8, 1, "%I:%M %p\n"),
        (3, 96, ",\n.\n"),
        (2, 12, "0\n100\n"),
        (6, 12, "2020-01-01\n2030-01-01\n"),
        (1, 2, "[a-z]+\\d?\n"),
        (2, 16, "7\n"),
    ] {
        seeds.push([&[kind, set, 0], settings.as_bytes(), values.as_bytes()].concat());
    }
    let lines = "{\"a\":1}\n{\"a\":\"2026-02-01\"}\n{\"a\":null}\n{\"a\":[1]}\n{}\n{\"a\":true}\n{\"a\":1.50}\n";
    seeds.extend((0..13).map(|kind| [&[kind, 0, 32], lines.as_bytes()].concat()));
    seeds
}

pub(crate) fn schedule() -> Seeds {
    let texts = [
        "cron(0 6,18 * * ? *)",
        "cron(*/15 8-18 ? * MON-FRI *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 ? * 6L 2026-2030)",
        "cron(0 0 15W JAN,jul ? *)",
        "cron(5 4 ? * 2#1 *)",
        "rate(1 hour)",
    ];
    let times = [1_770_000_000 + 40 * 366 * 86_400, 30_000, 5_000_000_u64];
    let times: Vec<u8> = times.iter().flat_map(|time| time.to_be_bytes()).collect();
    let seed = |zone: u8| texts.map(|text| [&[zone], times.as_slice(), text.as_bytes()].concat());
    (0..4).flat_map(seed).collect()
}
