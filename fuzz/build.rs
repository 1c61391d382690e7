//! Takes randomness away: what hash maps do is the same in every run, so that a run of so many inputs
//! from a seed can be repeated.

fn main() {
    println!("cargo::rerun-if-changed=fixed_random.c");
    // Nothing refers to it but the standard library, weakly: the linker would leave it out.
    cc::Build::new()
        .file("fixed_random.c")
        .link_lib_modifier("+whole-archive")
        .compile("fixed_random");
}
