//! Rules, plugins and web pages are embedded in the binary: build anew when a file of them comes or goes.

fn main() {
    for embedded in ["rules", "plugins", "web"] {
        println!("cargo::rerun-if-changed={embedded}");
    }
}
