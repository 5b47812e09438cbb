//! Any message, at the endpoint of each PSP: as it came, and signed.
#![no_main]

use cvco_fuzz::{ADAPTERS, Wire, signed, take};
use cvco_psp::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let wire = Wire::of(data);
    for adapter in ADAPTERS.iter().map(AsRef::as_ref) {
        let headers = wire.headers_for(adapter);
        let request = Request { method: wire.method, query: wire.query, body: wire.body, headers: &headers };
        take(adapter, &request);
        signed(adapter, &wire, |request| {
            take(adapter, request);
        });
    }
});
