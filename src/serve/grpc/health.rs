//! `grpc.health.v1.Health`: readiness, as gRPC clients ask for it.
//!
//! Rules: the health checking protocol of gRPC. All services are ready together, so the server (``) and the DNS
//! service say the same. `Check` does not know other services, `Watch` says so in its stream. A watch ends when we
//! stop, after it said NOT_SERVING: it would keep its connection open.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::serve::proto::SERVICE_NAME;
use crate::serve::readiness::Readiness;

pub(super) struct Healthy {
    pub(super) readiness: Readiness,
}

#[tonic::async_trait]
impl Health for Healthy {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if is_ours(&request.get_ref().service) {
            Ok(Response::new(response(serving(self.readiness.is_ready()))))
        } else {
            Err(Status::not_found("no such service"))
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = is_ours(&request.get_ref().service);
        let (states, stream) = mpsc::channel(1);
        let readiness = self.readiness.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tell(&readiness, known, &states) => {}
                () = states.closed() => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

async fn tell(
    readiness: &Readiness,
    known: bool,
    states: &mpsc::Sender<Result<HealthCheckResponse, Status>>,
) {
    let mut ready = readiness.watch();
    let mut told = None;
    loop {
        let now = *ready.borrow_and_update();
        let status = if known { serving(now) } else { ServingStatus::ServiceUnknown };
        if told.replace(status) != Some(status) && states.send(Ok(response(status))).await.is_err() {
            return;
        }
        if readiness.is_stopping() || ready.changed().await.is_err() {
            return;
        }
    }
}

fn is_ours(service: &str) -> bool {
    service.is_empty() || service == SERVICE_NAME
}

fn serving(ready: bool) -> ServingStatus {
    if ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
