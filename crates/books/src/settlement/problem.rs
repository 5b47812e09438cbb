//! What is wrong with a statement's file, as data; and in English and in French, with what would be right.

use std::fmt;

use cvco_domain::{Cents, Day};

/// What is wrong with a file, or with a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is larger than any statement.
    TooLarge {
        /// So large.
        bytes: usize,
    },
    /// It has more lines than any statement.
    TooManyLines {
        /// So many would be taken.
        most: usize,
    },
    /// It is not in the encoding that the layout names.
    Encoding {
        /// That encoding.
        named: String,
        /// Those that it may be in.
        seems: Vec<String>,
    },
    /// It is a workbook of a spreadsheet.
    Workbook,
    /// It is XML, as CAMT.053 is.
    Xml,
    /// There is nothing in it.
    Empty,
    /// No line of it is about a payment.
    NoPayment,
    /// It is no CSV; in English.
    NoCsv(String),
    /// A quotation mark is left open, or one too many.
    Quotation(Quotation),
    /// A column of the layout is not there.
    NoColumn {
        /// Its name.
        name: String,
        /// Those that are there.
        there: Vec<String>,
    },
    /// A column of the layout is there more than once.
    SeveralColumns {
        /// Its name.
        name: String,
    },
    /// Two columns of the layout are one.
    OneColumn,
    /// A cell is no amount.
    NoAmount {
        /// What it says.
        text: String,
        /// The sign before the cents.
        decimal: char,
    },
    /// A cell is no date.
    NoDate {
        /// What it says.
        text: String,
        /// How dates are written.
        forms: Vec<String>,
    },
    /// A cell cannot be what it should be; in English.
    Unfit(String),
    /// A line about a payment has no amount.
    AmountMissing {
        /// Where it should stand.
        columns: Vec<String>,
    },
    /// A line pays nothing out and keeps nothing.
    Nothing,
    /// A line says neither debit nor credit.
    NoDirection {
        /// What it says instead.
        text: Option<String>,
    },
    /// A line is both.
    BothDirections {
        /// What is taken back.
        debit: Cents,
        /// What is paid out.
        credit: Cents,
    },
    /// Two columns say otherwise what is kept.
    Commission {
        /// As it is stated.
        stated: Cents,
        /// As the net amount leaves it.
        by_net: Cents,
    },
    /// Nothing says the statement's number.
    NoNumber,
    /// Nothing says when it was paid.
    NoDay,
    /// A line without a reference is not the total of those above.
    NotTheTotal {
        /// What it says.
        total: Cents,
        /// What they come to.
        above: Cents,
    },
    /// Lines of one statement were paid on several days.
    SeveralDays {
        /// By the lines above.
        first: Day,
        /// By this one.
        this: Day,
        /// A column says the statement's number; else the command does.
        is_named: bool,
    },
    /// Lines of one statement say otherwise what was kept of the whole.
    SeveralCommissions,
}

/// What a quotation mark does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotation {
    /// It opens a cell that is never closed.
    NeverClosed,
    /// It opens a cell that goes on over the lines below.
    OverLines,
    /// It opens a cell that takes the next ones in.
    OverCells,
}

fn quoted<'t>(texts: impl IntoIterator<Item = &'t String>, between: &str) -> String {
    texts.into_iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(between)
}

impl fmt::Display for Problem {
    #[expect(clippy::too_many_lines, reason = "a table: one row per problem")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(f, "{bytes} bytes are too many for a statement"),
            Self::TooManyLines { most } => write!(f, "more than {most} lines are too many for a statement"),
            Self::Encoding { named, seems } if seems.is_empty() => {
                write!(f, "not {named}: correct `encoding` of [[statement]]")
            }
            Self::Encoding { named, seems } => write!(
                f,
                "not {named}; it looks like {}: correct `encoding` of [[statement]]",
                seems.join(" or ")
            ),
            Self::Workbook => f.write_str(
                "a workbook of a spreadsheet, such as Excel's: open it there and save the sheet as CSV, with the columns of \
                 [[statement]]",
            ),
            Self::Xml => f.write_str(
                "XML, such as CAMT.053, which is not read: ask for the statement as CSV",
            ),
            Self::Empty => f.write_str("empty: it should begin with the names of its columns"),
            Self::NoPayment => {
                f.write_str("no line of a payment in it: correct the columns of [[statement]]")
            }
            Self::NoCsv(what) | Self::Unfit(what) => f.write_str(what),
            Self::Quotation(does) => write!(
                f,
                "a quotation mark {}: correct the line; of an issuer that never quotes, say `quotes = false` in \
                 [[statement]]",
                match does {
                    Quotation::NeverClosed => "opens a cell that is never closed",
                    Quotation::OverLines => "opens a cell that goes on over the lines below it",
                    Quotation::OverCells => "opens a cell that swallows the next ones",
                }
            ),
            Self::NoColumn { name, there } => {
                write!(f, "no column {name:?}; there are: {}", there.join(", "))
            }
            Self::SeveralColumns { name } => write!(f, "several columns {name:?}"),
            Self::OneColumn => {
                f.write_str("a line that is laid out so is read as another one: two columns have one name")
            }
            Self::NoAmount { text, decimal } => {
                write!(f, "{text:?} is not an amount with the decimal sign {decimal:?}")
            }
            Self::NoDate { text, forms } => {
                write!(f, "{text:?} is not a date of the form {}", quoted(forms, " or "))
            }
            Self::AmountMissing { columns } => write!(f, "no amount in column {}", quoted(columns, " or ")),
            Self::Nothing => f.write_str(
                "0.00 pays nothing out: where payments and what is taken back stand in two columns, name both \
                 (debit and credit)",
            ),
            Self::NoDirection { text: Some(text) } => {
                write!(f, "{text:?} is neither debit nor credit: D or C, - or +")
            }
            Self::NoDirection { text: None } => f.write_str("neither debit nor credit"),
            Self::BothDirections { debit, credit } => {
                write!(f, "both a debit of {debit} and a credit of {credit}: one line is one of them")
            }
            Self::Commission { stated, by_net } => {
                write!(f, "a commission of {stated}, but the net amount leaves {by_net}")
            }
            Self::NoNumber => f.write_str("no number of its statement: give --number"),
            Self::NoDay => {
                f.write_str("no date on which it was paid: name its column (paid_on), or give --paid-on")
            }
            Self::NotTheTotal { total, above } => write!(
                f,
                "{total} without a reference, and not the total of the lines above, which is {above}"
            ),
            Self::SeveralDays { first, this, is_named } => write!(
                f,
                "its statement was paid on {first} by the lines above, and on {this} by this one; where one number goes on \
                 over several value dates, {}: each date is then a statement of its own",
                if *is_named {
                    "leave the column of its number out of the layout, and give no --number"
                } else {
                    "give no --number"
                }
            ),
            Self::SeveralCommissions => {
                f.write_str("says otherwise than the lines above what was kept of the whole statement")
            }
        }
    }
}

/// An amount as French writes it.
fn amount(cents: Cents) -> String {
    cents.to_string().replace('.', ",")
}

/// A date as French writes it.
fn date(day: Day) -> String {
    let (year, month, day) = day.parts();
    format!("{day:02}/{month:02}/{year}")
}

/// Texts between French quotation marks.
fn named<'t>(texts: impl IntoIterator<Item = &'t String>, between: &str) -> String {
    texts.into_iter().map(|text| format!("«\u{a0}{text}\u{a0}»")).collect::<Vec<_>>().join(between)
}

impl Problem {
    /// The same in French.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm for each problem")]
    pub fn in_french(&self) -> String {
        match self {
            Self::TooLarge { bytes } => format!("{bytes} octets, c’est trop pour un relevé"),
            Self::TooManyLines { most } => format!("plus de {most} lignes, c’est trop pour un relevé"),
            Self::Encoding { named, seems } if seems.is_empty() => {
                format!("le fichier n’est pas en {named}\u{a0}: corrigez `encoding` de [[statement]]")
            }
            Self::Encoding { named, seems } => format!(
                "le fichier n’est pas en {named}, mais semble être en {}\u{a0}: corrigez `encoding` de [[statement]]",
                seems.join(" ou ")
            ),
            Self::Workbook => "un classeur de tableur (Excel, par exemple)\u{a0}: ouvrez-le et enregistrez la feuille en CSV, avec \
                               les colonnes de [[statement]]"
                .to_owned(),
            Self::Xml => "du XML (CAMT.053, par exemple), qui n’est pas lu\u{a0}: demandez le relevé en CSV".to_owned(),
            Self::Empty => {
                "le fichier est vide\u{a0}: il devrait commencer par les noms de ses colonnes".to_owned()
            }
            Self::NoPayment => "aucune ligne ne parle d’un paiement\u{a0}: corrigez les colonnes de [[statement]]"
                .to_owned(),
            Self::NoCsv(what) => format!("ce n’est pas du CSV (en anglais\u{a0}: {what})"),
            Self::Unfit(what) => format!("une cellule ne peut pas être ce qu’elle devrait (en anglais\u{a0}: {what})"),
            Self::Quotation(does) => format!(
                "un guillemet {}\u{a0}: corrigez la ligne\u{a0}; si l’émetteur n’utilise jamais de guillemets, écrivez \
                 `quotes = false` dans [[statement]]",
                match does {
                    Quotation::NeverClosed => "ouvre une cellule qui n’est jamais fermée",
                    Quotation::OverLines => "ouvre une cellule qui se poursuit sur les lignes suivantes",
                    Quotation::OverCells => "ouvre une cellule qui avale les suivantes",
                }
            ),
            Self::NoColumn { name, there } => format!(
                "il n’y a pas de colonne «\u{a0}{name}\u{a0}»\u{a0}; il y a\u{a0}: {}",
                there.join(", ")
            ),
            Self::SeveralColumns { name } => {
                format!("il y a plusieurs colonnes «\u{a0}{name}\u{a0}»")
            }
            Self::OneColumn => {
                "une ligne ainsi présentée se lit autrement\u{a0}: deux colonnes portent le même nom".to_owned()
            }
            Self::NoAmount { text, decimal } => format!(
                "«\u{a0}{text}\u{a0}» n’est pas un montant dont le signe décimal est «\u{a0}{decimal}\u{a0}»"
            ),
            Self::NoDate { text, forms } => format!(
                "«\u{a0}{text}\u{a0}» n’est pas une date de la forme {}",
                named(forms, " ou ")
            ),
            Self::AmountMissing { columns } => {
                format!("il manque un montant dans la colonne {}", named(columns, " ou "))
            }
            Self::Nothing => "0,00 ne verse rien\u{a0}: si les paiements et les reprises sont dans deux colonnes, nommez les \
                              deux (debit et credit)"
                .to_owned(),
            Self::NoDirection { text: Some(text) } => format!(
                "«\u{a0}{text}\u{a0}» n’est ni un débit ni un crédit\u{a0}: D ou C, - ou +"
            ),
            Self::NoDirection { text: None } => "ni débit ni crédit".to_owned(),
            Self::BothDirections { debit, credit } => format!(
                "un débit de {} et un crédit de {}\u{a0}: une ligne est l’un ou l’autre",
                amount(*debit),
                amount(*credit)
            ),
            Self::Commission { stated, by_net } => format!(
                "une commission de {}, mais le montant net en laisse {}",
                amount(*stated),
                amount(*by_net)
            ),
            Self::NoNumber => "rien ne dit le numéro du relevé\u{a0}: donnez-le (--number)".to_owned(),
            Self::NoDay => {
                "rien ne dit quand il a été versé\u{a0}: nommez sa colonne (paid_on), ou donnez la date (--paid-on)"
                    .to_owned()
            }
            Self::NotTheTotal { total, above } => format!(
                "{} sans référence, et ce n’est pas le total des lignes précédentes, qui est {}",
                amount(*total),
                amount(*above)
            ),
            Self::SeveralDays { first, this, is_named } => format!(
                "son relevé est versé le {} selon les lignes précédentes, et le {} selon celle-ci\u{a0}; si un même numéro \
                 court sur plusieurs dates de valeur, {}\u{a0}: chaque date est alors un relevé à part",
                date(*first),
                date(*this),
                if *is_named {
                    "retirez la colonne de son numéro de la présentation, et ne donnez pas de numéro (--number)"
                } else {
                    "ne donnez pas de numéro (--number)"
                }
            ),
            Self::SeveralCommissions => {
                "la ligne dit autrement que les précédentes ce qui a été retenu sur l’ensemble du relevé".to_owned()
            }
        }
    }
}

/// What is wrong with a line; 0 is the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// Its number, as an editor counts.
    pub line: u64,
    /// What is wrong.
    pub what: Problem,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => self.what.fmt(f),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

impl LineProblem {
    fn in_french(&self) -> String {
        let what = self.what.in_french();
        if self.line == 0 { what } else { format!("ligne {}\u{a0}: {what}", self.line) }
    }
}

/// Why a file is no statement; nothing of it is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct FileError(pub Vec<LineProblem>);

impl FileError {
    /// The same in French.
    #[must_use]
    pub fn in_french(&self) -> String {
        self.0.iter().map(LineProblem::in_french).collect::<Vec<_>>().join("\n")
    }
}
