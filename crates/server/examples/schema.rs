//! Prints the description of the HTTP interface, for the documentation and the web app.

fn main() {
    println!("{:#}", ham_server::http::openapi());
}
