//! A panic is a broken invariant: the process ends at once, before anything that may be wrong leaves.
//! Only a panic of the core is left to the engine, which halts trading and keeps what came before.

/// Makes every other panic end the process.
pub(crate) fn abort_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("a thread without a name").to_owned();
        let trace = std::backtrace::Backtrace::force_capture();
        tracing::error!(thread = name, %panic, %trace, "a broken invariant");
        if !engine_core::is_panic_contained() {
            std::process::abort();
        }
    }));
}
