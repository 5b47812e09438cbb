//! `[[shop]]`: the shops, each with its endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use cvco_domain::{Bilingual, ShopId};
use cvco_psp::ShopReferences;
use serde::Deserialize;

use super::check::{Check, taken};
use super::endpoint::RawEndpoint;
use super::{Endpoint, Shop};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawShop {
    pub(super) id: String,
    name: Option<String>,
    pub(super) siren: Option<String>,
    /// Who is mailed about it, in place of those of `[alerts]`.
    #[serde(default)]
    pub(super) to: Vec<String>,
    #[serde(default)]
    pub(super) urgent_to: Vec<String>,
    pub(super) language: Option<String>,
    pub(super) digest: Option<String>,
    #[serde(default)]
    pub(super) endpoint: Vec<RawEndpoint>,
}

impl RawShop {
    /// Whether it says how it is told.
    pub(super) fn is_told_otherwise(&self) -> bool {
        !self.to.is_empty() || !self.urgent_to.is_empty() || self.language.is_some() || self.digest.is_some()
    }
}

/// All shops, and their endpoints as far as they are concerned.
pub(super) fn resolve(
    shops_of_file: &[RawShop],
    check: &mut Check<'_>,
    is_concerned: impl Fn(&RawEndpoint) -> bool,
) -> (Vec<Shop>, Vec<Arc<Endpoint>>) {
    let (mut shops, mut endpoints) = (Vec::<Shop>::new(), Vec::<Arc<Endpoint>>::new());
    let mut accounts = BTreeMap::new();
    if shops_of_file.is_empty() {
        check.unwise(
            "shop",
            (
                "aucun [[shop]]\u{a0}: aucune notification ne peut être reçue",
                "no [[shop]]: no notification can be received",
            ),
        );
    }
    for (n, raw) in shops_of_file.iter().enumerate() {
        let key = format!("shop[{n}].id");
        let Some(id) = check.value(&key, ShopId::new(raw.id.as_str())) else { continue };
        if shops.iter().any(|shop| shop.id == id) {
            check.wrong(&key, taken(&id, ("une boutique", "shop")));
        }
        for (m, raw) in raw.endpoint.iter().enumerate().filter(|(_, raw)| is_concerned(raw)) {
            let key = format!("shop[{n}].endpoint[{m}]");
            let endpoint = check.about(&raw.id, |check| raw.resolve(&key, &id, check));
            let Some(endpoint) = endpoint else { continue };
            if endpoints.iter().any(|other| other.id == endpoint.id) {
                check.wrong(format!("{key}.id"), taken(&endpoint.id, ("un point d’entrée", "endpoint")));
            }
            let same_path = |other: &&Arc<Endpoint>| other.path.is_some() && other.path == endpoint.path;
            if let Some(other) = endpoints.iter().find(same_path) {
                check.wrong(
                    format!("{key}.path"),
                    (
                        format!(
                            "c’est le chemin de {}\u{a0}; faites mettre un dossier devant par le serveur web",
                            other.id
                        ),
                        format!("the path of {}; let the web server put a folder in front", other.id),
                    ),
                );
            }
            if let Some(account) = raw.account() {
                let (first, owner) =
                    accounts.entry(account).or_insert_with(|| (endpoint.id.clone(), id.clone()));
                if *owner != id {
                    let psp = endpoint.psp;
                    let what = Bilingual::new(
                        format!(
                            "{first}, de la boutique {owner}, a aussi ce compte chez {psp}\u{a0}: un paiement que le prestataire \
                             notifie aux deux adresses compte dans les deux boutiques"
                        ),
                        format!(
                            "{first}, of the shop {owner}, has this account at {psp} too: a payment that the PSP tells to both \
                             addresses counts in both shops"
                        ),
                    );
                    check.about(endpoint.id.as_str(), |check| check.unwise("", what));
                }
            }
            endpoints.push(Arc::new(endpoint));
        }
        let name = raw.name.clone().unwrap_or_else(|| raw.id.clone());
        let patterns = raw.endpoint.iter().map(RawEndpoint::pattern);
        let references = ShopReferences {
            // One that is wrong is named with its endpoint.
            patterns: patterns.clone().flatten().filter_map(Result::ok).collect(),
            some_are_plain: patterns.clone().any(|pattern| pattern.is_none()),
        };
        shops.push(Shop { id, name, references });
    }
    (shops, endpoints)
}
