//! Any file that an accountant or an administrator could hand over: statements, warning mails, access logs.
#![no_main]

use std::sync::LazyLock;

use cvco_books::settlement::{AmountColumns, Columns, Given, Profile, read};
use cvco_domain::{DatePattern, Issuer, ShopId};
use cvco_psp::{logged_call, up2pay};
use libfuzzer_sys::fuzz_target;

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let column = |name: &str| Some(name.to_owned());
    let pattern = |text: &str| DatePattern::new(text).expect("a pattern");
    let ancv = Profile {
        id: "ancv".to_owned(),
        issuer: Issuer::Ancv,
        shop: None,
        encoding: encoding_rs::WINDOWS_1252,
        delimiter: b';',
        quotes: true,
        decimal: ',',
        dates: vec![pattern("%d/%m/%Y")],
        skip_lines: 2,
        columns: Columns {
            amount: AmountColumns::Signed("Montant".to_owned()),
            reference: column("Reference interne commercant"),
            transaction: column("N° transaction"),
            authorisation: None,
            contract: None,
            date: column("Date de transaction"),
            commission: column("Commission"),
            net: column("Net"),
            statement: column("N° relevé"),
            paid_on: column("Date de valeur"),
            statement_commission: None,
        },
    };
    let bank = Profile {
        id: "bank".to_owned(),
        issuer: Issuer::Bank,
        encoding: encoding_rs::UTF_8,
        delimiter: b',',
        decimal: '.',
        dates: vec![pattern("%Y-%m-%d"), pattern("%d/%m/%y")],
        skip_lines: 0,
        columns: Columns {
            amount: AmountColumns::Signed("montant_brut".to_owned()),
            reference: column("reference"),
            transaction: None,
            authorisation: column("autorisation"),
            contract: column("contrat"),
            date: column("date_operation"),
            commission: None,
            net: column("montant_net"),
            statement: None,
            paid_on: column("date_remise"),
            statement_commission: None,
        },
        ..ancv.clone()
    };
    vec![ancv, bank]
});

fuzz_target!(|data: &[u8]| {
    let shop = ShopId::new("camping").expect("a shop");
    let given = Given { shop, number: None, file_name: None, paid_on: None };
    for profile in PROFILES.iter() {
        if let Ok(file) = read(data, profile, &given) {
            assert!(file.lines() <= data.len(), "every line was there");
            let _ = file.total();
        }
    }
    // An empty file is one mail that says nothing.
    assert!(up2pay::warning_mail::read(data).len() <= data.len() + 1);
    assert!(logged_call::calls(data).len() <= data.len() + 1);
});
