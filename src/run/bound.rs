//! All sockets, bound.

use std::net::{SocketAddr, TcpListener};

use super::address::{Addresses, GrpcAddress};
use super::failure::RunError;
use super::settings::RunSettings;
use crate::serve::socket::{self, DnsSockets};
use crate::serve::unix::{self, SocketFile};

/// A socket for gRPC.
#[derive(Debug)]
pub(super) enum GrpcSocket {
    Tcp(TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// All sockets, bound and not served yet.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) grpc: Vec<GrpcSocket>,
    /// Removed when dropped.
    pub(super) socket_files: Vec<SocketFile>,
    /// For each worker one of every address.
    pub(super) dns: Vec<Vec<DnsSockets>>,
    pub(super) admin: Option<TcpListener>,
    pub(super) addresses: Addresses,
}

impl Bound {
    /// Binds them, or none.
    pub(super) fn bind(settings: &RunSettings) -> Result<Self, RunError> {
        let workers = settings.workers.get();
        let mut bound = Self {
            grpc: Vec::new(),
            socket_files: Vec::new(),
            dns: (0..workers).map(|_| Vec::new()).collect(),
            admin: None,
            addresses: Addresses::default(),
        };
        for address in &settings.grpc {
            bound.bind_grpc(address)?;
        }
        for address in &settings.dns {
            bound.bind_dns(*address, workers)?;
        }
        if let Some(address) = settings.admin {
            let (listener, address) = bind_tcp("admin", address)?;
            bound.admin = Some(listener);
            bound.addresses.admin = Some(address);
        }
        Ok(bound)
    }

    fn bind_grpc(&mut self, address: &GrpcAddress) -> Result<(), RunError> {
        match address {
            GrpcAddress::Tcp(address) => {
                let (listener, address) = bind_tcp("grpc", *address)?;
                self.grpc.push(GrpcSocket::Tcp(listener));
                self.addresses.grpc.push(GrpcAddress::Tcp(address));
            }
            GrpcAddress::Unix(path) => {
                let socket = unix::bind(path)?;
                self.grpc.push(GrpcSocket::Unix(socket.listener));
                self.socket_files.push(socket.file);
                self.addresses.grpc.push(GrpcAddress::Unix(path.clone()));
            }
        }
        Ok(())
    }

    fn bind_dns(&mut self, address: SocketAddr, workers: usize) -> Result<(), RunError> {
        let failed = |source| RunError::Bind { listener: "dns", address, source };
        let sockets = socket::dns(address, workers).map_err(failed)?;
        for (number, (worker, sockets)) in self.dns.iter_mut().zip(sockets).enumerate() {
            if number == 0 {
                self.addresses.dns.push(sockets.udp.local_addr().map_err(failed)?);
            }
            worker.push(sockets);
        }
        Ok(())
    }
}

fn bind_tcp(listener: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), RunError> {
    let failed = |source| RunError::Bind { listener, address, source };
    let socket = socket::tcp(address).map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    Ok((socket, bound))
}
