//! Every query of a page finds its rows by an index: at ten million payments a page that scans is a page that hangs.

use rusqlite::Connection;

use super::{dossier, figures, months, payments, relays, search, worklist};

/// How SQLite would go about a query, step by step.
fn plan(conn: &Connection, query: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect(query);
    let empty =
        rusqlite::params_from_iter(std::iter::repeat_n(rusqlite::types::Null, statement.parameter_count()));
    let steps = statement.query_map(empty, |row| row.get(3)).expect(query);
    steps.map(|step| step.expect("a step")).collect()
}

#[test]
fn orders_by_time_are_not_sorted_but_read_as_they_lie() {
    let conn = crate::schema::scratch().expect("a ledger");
    crate::schema::complete(&conn).expect("its indexes");
    for query in payments::plans::in_order() {
        for step in plan(&conn, &query) {
            assert!(!step.contains("TEMP B-TREE"), "{step}, in {query}");
        }
    }
}

#[test]
fn every_query_of_a_page_uses_an_index() {
    let conn = crate::schema::scratch().expect("a ledger");
    crate::schema::complete(&conn).expect("its indexes");
    let queries: Vec<String> = payments::plans::all()
        .into_iter()
        .chain(worklist::plans::all())
        .chain(months::plans::all())
        .chain(relays::plans::all())
        .chain(
            [search::plans::ALL.as_slice(), &dossier::plans::ALL, &figures::plans::ALL]
                .concat()
                .into_iter()
                .map(str::to_owned),
        )
        .collect();
    for query in queries {
        for step in plan(&conn, &query) {
            // What a subquery made is bounded, and of months, closed or not, there are few.
            let is_scan = step.starts_with("SCAN ")
                && !step.contains("USING ")
                && !step.contains("json_each")
                && !step.contains("(subquery")
                && !step.contains("CONSTANT ROW")
                && !["SCAN closings", "SCAN months", "SCAN o"].contains(&step.as_str());
            assert!(!is_scan, "{step}, in {query}");
        }
    }
}
