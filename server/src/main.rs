//! The command: serves until Ctrl-C.

use connmap_server::options::{Options, HELP};
use connmap_server::server::Server;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("connmap-server: {mistake}");
            return ExitCode::from(2);
        }
    };
    let served = tokio::runtime::Runtime::new()
        .map_err(|error| format!("no runtime: {error}"))
        .and_then(|runtime| runtime.block_on(serve(options)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("connmap-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), String> {
    let data = options.data.clone();
    let running = Server::start(options).await?;
    // Lines for whoever waits for them, a pipe too; that nobody reads them is
    // no reason to end.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "data in {}", data.display());
    let _ = writeln!(stdout, "buckets: {}", running.server.names().join(" "));
    let _ = writeln!(stdout, "listening on {}; Ctrl-C ends it", running.address);
    let _ = stdout.flush();
    tokio::signal::ctrl_c().await.map_err(|error| format!("no Ctrl-C: {error}"))?;
    let closed = running.shutdown().await;
    let _ = writeln!(
        stdout,
        "closed: {} DCP connections with {} streams; the data is kept",
        closed.connections, closed.streams
    );
    Ok(())
}
