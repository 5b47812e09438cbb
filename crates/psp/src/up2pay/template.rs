//! `PBX_RETOUR`: which variables a call carries, and under which names. The merchant chooses the names, so an
//! endpoint cannot be read without it.

use std::fmt;

use cvco_domain::Worded;

/// The template of an endpoint: names and letters, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    variables: Vec<Variable>,
    signature: String,
}

/// One `name:letter`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    letter: char,
}

/// The variables that the daemon needs, in the order of the manual's own template.
const NEEDED: [char; 8] = [AMOUNT, REFERENCE, CALL, PAYMENT_TYPE, CARD_TYPE, ERROR, TRANSACTION, SIGNATURE];

pub(super) const AMOUNT: char = 'M';
pub(super) const REFERENCE: char = 'R';
pub(super) const AUTHORISATION: char = 'A';
pub(super) const CALL: char = 'T';
pub(super) const PAYMENT_TYPE: char = 'P';
pub(super) const CARD_TYPE: char = 'C';
pub(super) const ERROR: char = 'E';
pub(super) const TRANSACTION: char = 'S';
pub(super) const INDEX: char = 'Z';
pub(super) const DATE: char = 'W';
pub(super) const TIME: char = 'Q';
pub(super) const SIGNATURE: char = 'K';
const SUBSCRIBER: char = 'U';

/// Up2pay manual 3.2.2, the example of a CV-Connect call.
const DEFAULT: [(&str, char); 10] = [
    ("Mt", AMOUNT),
    ("Ref", REFERENCE),
    ("Auto", AUTHORISATION),
    ("Appel", CALL),
    ("ChoixPaiement", PAYMENT_TYPE),
    ("ChoixCarte", CARD_TYPE),
    ("Erreur", ERROR),
    ("Transaction", TRANSACTION),
    ("Pays", 'Y'),
    ("Signature", SIGNATURE),
];

/// Why a text is not a template: what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A piece is not `name:letter`.
    #[error("PBX_RETOUR: write {0:?} as a name, a colon and one letter, for instance `Mt:M`")]
    Shape(String),
    /// A name that could not stand in a query.
    #[error(
        "PBX_RETOUR: give the letter {letter} a name of printable ASCII without spaces, `&`, `=`, `%`, `+`, \
         `#` or `?`, not {name:?}"
    )]
    Name {
        /// The variable.
        letter: char,
        /// Its name.
        name: String,
    },
    /// Two variables of one name.
    #[error("PBX_RETOUR: the name {0:?} stands twice; give each variable a name of its own")]
    RepeatedName(String),
    /// One variable under two names.
    #[error("PBX_RETOUR: the letter {0} stands twice; keep one of them")]
    RepeatedLetter(char),
    /// A variable is not asked for.
    #[error("PBX_RETOUR: add the letter {0} ({desc}), for instance `{name}:{0}`", desc = purpose(*.0), name = usual_name(*.0))]
    Missing(char),
    /// `K` signs what stands before it.
    #[error("PBX_RETOUR: move the signature (letter K) to the end; it covers only what stands before it")]
    SignatureNotLast,
    /// Up2pay manual 3.2.1: a CV-Connect payment is refused if `U` is asked for.
    #[error("PBX_RETOUR: take the letter U out; Up2pay refuses voucher payments with it")]
    Subscriber,
}

const fn purpose(letter: char) -> &'static str {
    match letter {
        AMOUNT => "the amount",
        REFERENCE => "the order reference",
        CALL => "the call number",
        PAYMENT_TYPE => "the payment type",
        CARD_TYPE => "the card type",
        ERROR => "the response code",
        TRANSACTION => "the transaction number",
        SIGNATURE => "the signature",
        _ => "a variable",
    }
}

fn usual_name(letter: char) -> &'static str {
    DEFAULT.iter().find(|(_, known)| *known == letter).map_or("Name", |(name, _)| name)
}

const fn purpose_in_french(letter: char) -> &'static str {
    match letter {
        AMOUNT => "le montant",
        REFERENCE => "la référence de la commande",
        CALL => "le numéro d’appel",
        PAYMENT_TYPE => "le type de paiement",
        CARD_TYPE => "le type de carte",
        ERROR => "le code réponse",
        TRANSACTION => "le numéro de transaction",
        SIGNATURE => "la signature",
        _ => "une variable",
    }
}

impl Worded for TemplateError {
    fn in_french(&self) -> String {
        match self {
            Self::Shape(piece) => format!(
                "PBX_RETOUR\u{a0}: écrivez «\u{a0}{piece}\u{a0}» sous la forme d’un nom, de deux-points et d’une lettre, par exemple \
                 `Mt:M`"
            ),
            Self::Name { letter, name } => format!(
                "PBX_RETOUR\u{a0}: donnez à la lettre {letter} un nom en ASCII sans espace ni `&`, `=`, `%`, `+`, `#` ou `?`, au \
                 lieu de «\u{a0}{name}\u{a0}»"
            ),
            Self::RepeatedName(name) => format!(
                "PBX_RETOUR\u{a0}: le nom «\u{a0}{name}\u{a0}» figure deux fois\u{a0}; donnez à chaque variable son propre nom"
            ),
            Self::RepeatedLetter(letter) => {
                format!("PBX_RETOUR\u{a0}: la lettre {letter} figure deux fois\u{a0}; gardez-en une")
            }
            Self::Missing(letter) => format!(
                "PBX_RETOUR\u{a0}: ajoutez la lettre {letter} ({}), par exemple `{}:{letter}`",
                purpose_in_french(*letter),
                usual_name(*letter)
            ),
            Self::SignatureNotLast => "PBX_RETOUR\u{a0}: placez la signature (lettre K) à la fin\u{a0}; elle ne couvre que ce qui la \
                                       précède"
                .to_owned(),
            Self::Subscriber => "PBX_RETOUR\u{a0}: retirez la lettre U\u{a0}; Up2pay refuse les paiements par chèque-vacances avec elle"
                .to_owned(),
        }
    }
}

impl Template {
    /// Reads a template with which voucher payments can be booked. Spaces around names, which the manual
    /// itself prints, and a `;` at the end do no harm.
    ///
    /// # Errors
    /// What to change in it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse_lenient(text)?;
        for (at, variable) in template.variables.iter().enumerate() {
            let earlier = template.variables.get(..at).unwrap_or_default();
            if variable.letter == SUBSCRIBER {
                return Err(TemplateError::Subscriber);
            }
            if earlier.iter().any(|other| other.name == variable.name) {
                return Err(TemplateError::RepeatedName(variable.name.clone()));
            }
            if earlier.iter().any(|other| other.letter == variable.letter) {
                return Err(TemplateError::RepeatedLetter(variable.letter));
            }
        }
        if let Some(missing) = NEEDED.into_iter().find(|letter| template.name(*letter).is_none()) {
            return Err(TemplateError::Missing(missing));
        }
        match template.variables.last() {
            Some(Variable { letter: SIGNATURE, .. }) => Ok(template),
            Some(_) | None => Err(TemplateError::SignatureNotLast),
        }
    }

    /// Reads any template that has a signature: enough to check one, of whatever product and shop.
    ///
    /// # Errors
    /// A piece that is not `name:letter`, or no `K` at all.
    pub fn parse_lenient(text: &str) -> Result<Self, TemplateError> {
        let text = text.trim();
        let pieces = text.strip_suffix(';').unwrap_or(text).split(';');
        let variables = pieces.map(Variable::parse).collect::<Result<Vec<_>, _>>()?;
        let signature = variables.iter().find(|variable| variable.letter == SIGNATURE);
        let signature = signature.ok_or(TemplateError::Missing(SIGNATURE))?.name.clone();
        Ok(Self { variables, signature })
    }

    /// The name under which the signature comes.
    #[must_use]
    pub fn signature_name(&self) -> &str {
        &self.signature
    }

    /// The same template with another name for the signature.
    pub(super) fn with_signature_name(mut self, name: &str) -> Self {
        for variable in &mut self.variables {
            if variable.letter == SIGNATURE {
                name.clone_into(&mut variable.name);
            }
        }
        name.clone_into(&mut self.signature);
        self
    }

    /// The name of a letter's variable, if it is asked for.
    pub(super) fn name(&self, letter: char) -> Option<&str> {
        self.variables
            .iter()
            .find(|variable| variable.letter == letter)
            .map(|variable| variable.name.as_str())
    }

    /// Whether one of the variables has this name.
    pub(super) fn knows(&self, name: &[u8]) -> bool {
        self.variables.iter().any(|variable| variable.name.as_bytes() == name)
    }

    /// Names and letters, in order.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, char)> {
        self.variables.iter().map(|variable| (variable.name.as_str(), variable.letter))
    }
}

impl Variable {
    fn parse(piece: &str) -> Result<Self, TemplateError> {
        let shape = || TemplateError::Shape(piece.trim().chars().take(60).collect());
        let (name, letter) = piece.split_once(':').ok_or_else(shape)?;
        let (name, letter) = (name.trim(), letter.trim());
        let mut letters = letter.chars();
        let letter = match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii_alphabetic() => letter,
            _ => return Err(shape()),
        };
        let plain = |b: u8| b.is_ascii_graphic() && !b"&=%+#?".contains(&b);
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(TemplateError::Name { letter, name: name.chars().take(60).collect() });
        }
        Ok(Self { name: name.to_owned(), letter })
    }
}

impl Default for Template {
    /// The manual's own.
    fn default() -> Self {
        let variable = |(name, letter): &(&str, char)| Variable { name: (*name).to_owned(), letter: *letter };
        Self {
            variables: DEFAULT.iter().map(variable).collect(),
            signature: usual_name(SIGNATURE).to_owned(),
        }
    }
}

/// As `PBX_RETOUR` wants it.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, variable) in self.variables.iter().enumerate() {
            let separator = if at == 0 { "" } else { ";" };
            write!(f, "{separator}{}:{}", variable.name, variable.letter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = "Mt:M;Ref:R;Auto:A;Appel:T; ChoixPaiement:P;ChoixCarte:C;Erreur:E;Transaction:S;\
                          Pays:Y;Signature:K";

    fn refusal(text: &str) -> TemplateError {
        Template::parse(text).expect_err(text)
    }

    #[test]
    fn the_default_is_the_manuals_with_its_space_taken_away() {
        assert_eq!(Template::parse(MANUAL), Ok(Template::default()));
        assert_eq!(Template::default().to_string(), MANUAL.replace(' ', ""));
        assert_eq!(Template::default().signature_name(), "Signature");
    }

    #[test]
    fn spaces_and_a_last_semicolon_do_no_harm() {
        let text = " a :M; b:R ;c:T;d:P;e:C;f:E;g:S;h: K ; ";
        assert_eq!(
            Template::parse(text).map(|t| t.to_string()),
            Ok("a:M;b:R;c:T;d:P;e:C;f:E;g:S;h:K".into())
        );
    }

    #[test]
    fn each_needed_letter_is_missed_by_its_name() {
        for letter in NEEDED {
            let kept: Vec<_> = MANUAL.split(';').filter(|piece| !piece.ends_with(letter)).collect();
            assert_eq!(refusal(&kept.join(";")), TemplateError::Missing(letter));
        }
        let without_call = MANUAL.replace("Appel:T;", "");
        assert_eq!(
            refusal(&without_call).to_string(),
            "PBX_RETOUR: add the letter T (the call number), for instance `Appel:T`"
        );
    }

    #[test]
    fn what_could_not_work_is_refused() {
        let with = |piece: &str| MANUAL.replace("Pays:Y", piece);
        assert_eq!(refusal(&format!("{MANUAL};Index:Z")), TemplateError::SignatureNotLast);
        assert_eq!(refusal(&with("Abonne:U")), TemplateError::Subscriber);
        assert_eq!(refusal(&with("Mt:Y")), TemplateError::RepeatedName("Mt".into()));
        assert_eq!(refusal(&with("Montant:M")), TemplateError::RepeatedLetter('M'));
        assert_eq!(refusal(&with("Montant")), TemplateError::Shape("Montant".into()));
        assert_eq!(refusal(&with("Montant:MM")), TemplateError::Shape("Montant:MM".into()));
        assert_eq!(refusal(&with("Montant:")), TemplateError::Shape("Montant:".into()));
        assert_eq!(refusal(&with("")), TemplateError::Shape(String::new()));
        assert_eq!(refusal(&with(" :Y")), TemplateError::Name { letter: 'Y', name: String::new() });
        assert_eq!(refusal(&with("a&b:Y")), TemplateError::Name { letter: 'Y', name: "a&b".into() });
        assert!(matches!(refusal(""), TemplateError::Shape(_)));
    }

    #[test]
    fn to_diagnose_a_signature_is_enough() {
        let template = Template::parse_lenient("sign:K;amount:M;ref:R;sub:U").expect("has a K");
        assert_eq!(template.signature_name(), "sign");
        assert_eq!(Template::parse_lenient("Mt:M"), Err(TemplateError::Missing('K')));
    }
}
