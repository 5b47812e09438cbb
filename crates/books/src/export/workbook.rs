//! Lists as workbooks: the first row stays in sight, every column can be filtered, numbers and dates are real ones, gaps
//! are red, and a chart shows vouchers and cards by day.

use std::collections::BTreeMap;
use std::io::{self, Write};

use cvco_domain::{Cents, Day};
use rust_xlsxwriter::{
    Chart, ChartType, Color, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet,
    XlsxError,
};

use super::{Headings, TableFile};
use crate::accounting::{Cell, Holds, Report};

/// The series of the chart: a column, its title, its colour.
const SERIES: [(&str, &str, &str); 3] = [
    ("voucher", "Chèques-vacances", "#1F6FB2"),
    ("other_vouchers", "Autres titres", "#5AA469"),
    ("card", "Cartes", "#F2A33A"),
];

/// A sheet holds no more rows.
const MOST_ROWS: u32 = 1_048_575;

/// A list as a workbook. Rows go to the disk as they come; the file is put together at the end.
pub struct TableWorkbook<W: Write> {
    out: W,
    report: Report,
    book: Workbook,
    rows: u32,
    formats: Formats,
    /// What came in by day, for the chart: see [`SERIES`].
    days: BTreeMap<Day, [Cents; 3]>,
}

struct Formats {
    money: Format,
    red: Format,
    day: Format,
    instant: Format,
}

impl<W: Write> TableWorkbook<W> {
    /// Begins the workbook.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(out: W, report: Report, headings: Headings) -> io::Result<Self> {
        let mut book = Workbook::new();
        // The same rows make the same file, whenever it is made.
        let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(failed)?;
        let properties = DocProperties::new().set_title(report.title()).set_author("cvco-reconciled");
        book.set_properties(&properties.set_creation_datetime(&made));
        let sheet = book.add_worksheet_with_constant_memory().map_err(failed)?;
        head(sheet, report, headings).map_err(failed)?;
        let money = Format::new().set_num_format("#,##0.00");
        let formats = Formats {
            red: money.clone().set_font_color(Color::Red).set_bold(),
            money,
            day: Format::new().set_num_format("dd/mm/yyyy"),
            instant: Format::new().set_num_format("dd/mm/yyyy hh:mm"),
        };
        Ok(Self { out, report, book, rows: 0, formats, days: BTreeMap::new() })
    }

    fn note_day(&mut self, cells: &[Cell]) {
        let columns = self.report.columns();
        let cell = |name: &str| {
            let place = columns.iter().position(|(column, _, _)| *column == name)?;
            cells.get(place)
        };
        let money = |name: &str| match cell(name) {
            Some(Cell::Money(amount)) => *amount,
            Some(Cell::Empty | Cell::Text(_) | Cell::Count(_) | Cell::Day(_) | Cell::Instant(_)) | None => {
                Cents::ZERO
            }
        };
        let day = match (cell("received_on"), cell("level"), cell("period")) {
            (Some(Cell::Day(day)), None, _) => Some(*day),
            // Months and the whole are written otherwise.
            (None, Some(Cell::Text(_)), Some(Cell::Text(day))) => day.parse().ok(),
            _ => None,
        };
        if let (Some(day), Report::Register | Report::Totals) = (day, self.report) {
            let sums = self.days.entry(day).or_default();
            for (sum, (column, _, _)) in sums.iter_mut().zip(SERIES) {
                *sum = sum.plus(money(column));
            }
        }
    }

    /// A second sheet with what came in by day, and a chart of it.
    fn chart(&mut self) -> Result<(), XlsxError> {
        let Some(last) = u32::try_from(self.days.len()).ok().filter(|days| *days > 0) else { return Ok(()) };
        let sheet = self.book.add_worksheet().set_name("Par jour")?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        let bold = Format::new().set_bold();
        for (column, title) in (0_u16..).zip(["Jour"].into_iter().chain(SERIES.map(|(_, title, _)| title))) {
            sheet.write_string_with_format(0, column, title, &bold)?;
            sheet.set_column_width(column, 18)?;
        }
        for (row, (day, sums)) in (1_u32..).zip(&self.days) {
            sheet.write_datetime_with_format(row, 0, date(*day)?, &self.formats.day)?;
            for (column, sum) in (1_u16..).zip(sums) {
                sheet.write_number_with_format(row, column, euros(*sum), &self.formats.money)?;
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        let mut chart = Chart::new(ChartType::ColumnStacked);
        for (column, (_, _, color)) in (1_u16..).zip(SERIES) {
            chart
                .add_series()
                .set_categories(("Par jour", 1, 0, last, 0))
                .set_values(("Par jour", 1, column, last, column))
                .set_name(("Par jour", 0, column))
                .set_format(
                    rust_xlsxwriter::ChartFormat::new()
                        .set_solid_fill(rust_xlsxwriter::ChartSolidFill::new().set_color(color)),
                )
                .set_gap(60);
        }
        chart.title().set_name("Encaissements par jour (euros)");
        chart.legend().set_position(rust_xlsxwriter::ChartLegendPosition::Bottom);
        chart.x_axis().set_num_format("dd/mm");
        chart.y_axis().set_num_format("#,##0");
        chart.set_width(900).set_height(420);
        sheet.insert_chart(1, 4, &chart)?;
        Ok(())
    }
}

/// Headings, widths, and what stays in sight.
fn head(sheet: &mut Worksheet, report: Report, headings: Headings) -> Result<(), XlsxError> {
    let bold = Format::new()
        .set_bold()
        .set_background_color(Color::RGB(0x00E8_EEF4))
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap();
    sheet.set_name(report.title())?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_row_height(0, 45)?;
    // On paper: all columns on one page, the headings on each.
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    for (number, column) in (0_u16..).zip(report.columns()) {
        let (name, _, holds) = *column;
        let width = match (holds, name) {
            (_, "detail") => 60,
            (_, "order_ref" | "call_number" | "contracts" | "kind" | "note" | "transaction" | "period") => 24,
            (Holds::Instant, _) => 17,
            (Holds::Text, _) => 16,
            (Holds::Money | Holds::Day | Holds::Count, _) => 13,
        };
        sheet.set_column_width(number, width)?;
        sheet.write_string_with_format(0, number, headings.of(column), &bold)?;
    }
    Ok(())
}

fn failed(error: XlsxError) -> io::Error {
    if let XlsxError::IoError(error) = error { error } else { io::Error::other(error) }
}

fn date(day: Day) -> Result<ExcelDateTime, XlsxError> {
    let (year, month, day) = day.parts();
    let small = |part: u32| u8::try_from(part).unwrap_or_default();
    ExcelDateTime::from_ymd(u16::try_from(year).unwrap_or_default(), small(month), small(day))
}

/// A spreadsheet knows no cents.
fn euros(amount: Cents) -> f64 {
    amount.to_string().parse().unwrap_or_default()
}

impl<W: Write> TableFile for TableWorkbook<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        if self.rows >= MOST_ROWS {
            return Err(io::Error::other(
                "more rows than a sheet of a workbook holds (1,048,576): take a shorter span, or --format csv",
            ));
        }
        self.note_day(cells);
        self.rows = self.rows.saturating_add(1);
        let row = self.rows;
        let columns = self.report.columns();
        let formats = &self.formats;
        let sheet = self.book.worksheet_from_index(0).map_err(failed)?;
        for ((column, cell), (name, _, _)) in (0_u16..).zip(cells).zip(columns) {
            match cell {
                Cell::Empty => Ok(&mut *sheet),
                Cell::Text(text) => sheet.write_string(row, column, text),
                Cell::Money(amount) => {
                    let format =
                        if *name == "gap" && *amount != Cents::ZERO { &formats.red } else { &formats.money };
                    sheet.write_number_with_format(row, column, euros(*amount), format)
                }
                Cell::Count(count) => {
                    sheet.write_number(row, column, euros(Cents::new(count.saturating_mul(100))))
                }
                Cell::Day(day) => {
                    let date = date(*day).map_err(failed)?;
                    sheet.write_datetime_with_format(row, column, date, &formats.day)
                }
                Cell::Instant(at) => {
                    let (hour, minute, _) = at.paris_time();
                    let time = date(at.paris_day())
                        .and_then(|date| {
                            date.and_hms(
                                u16::try_from(hour).unwrap_or_default(),
                                u8::try_from(minute).unwrap_or_default(),
                                0,
                            )
                        })
                        .map_err(failed)?;
                    sheet.write_datetime_with_format(row, column, time, &formats.instant)
                }
            }
            .map_err(failed)?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let columns = u16::try_from(self.report.columns().len()).unwrap_or(1);
        let sheet = self.book.worksheet_from_index(0).map_err(failed)?;
        sheet.autofilter(0, 0, self.rows.max(1), columns.saturating_sub(1)).map_err(failed)?;
        self.chart().map_err(failed)?;
        // A zip is written with seeks: it is put together first.
        let bytes = self.book.save_to_buffer().map_err(failed)?;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workbook() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = TableWorkbook::new(&mut bytes, Report::Register, Headings::French).expect("begun");
        let mut cells = vec![Cell::Empty; Report::Register.columns().len()];
        cells[0] = Cell::Text("camping".to_owned());
        cells[5] = Cell::Day("2026-03-31".parse().expect("a day"));
        cells[7] = Cell::Money(Cents::new(18_000));
        cells[10] = Cell::Money(Cents::new(-100));
        file.row(&cells).expect("written");
        file.end().expect("ended");
        drop(file);
        bytes
    }

    #[test]
    fn the_same_rows_make_the_same_file() {
        let bytes = workbook();
        assert!(bytes.starts_with(b"PK"), "a zip");
        assert_eq!(bytes, workbook());
    }
}
