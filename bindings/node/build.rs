//! Lets the linker leave open what Node will supply.

fn main() {
    napi_build::setup();
}
