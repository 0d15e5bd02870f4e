//! Collectors that take everything and keep nothing.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::server::{free_port, runtime};

/// ACCEPT of whatever the writer has.
const ACCEPT: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1];

/// Takes spans.
struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// One for traces, and its URL.
pub(crate) fn traces() -> String {
    let port = free_port();
    thread::spawn(move || {
        let service = TraceServiceServer::new(Collector);
        runtime()
            .block_on(Server::builder().add_service(service).serve(([127, 0, 0, 1], port).into()))
            .unwrap();
    });
    format!("http://127.0.0.1:{port}")
}

/// One for dnstap, and its socket.
pub(crate) fn dnstap(directory: &Path) -> PathBuf {
    let path = directory.join("dnstap.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut heard = vec![0; 65_536];
                // READY comes in one piece.
                stream.read(&mut heard).and_then(|_| stream.write_all(&ACCEPT)).unwrap();
                while stream.read(&mut heard).is_ok_and(|count| count > 0) {}
            });
        }
    });
    path
}
