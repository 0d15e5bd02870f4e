//! An upstream that does what a test says, over UDP and TCP on one port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use hickory_proto::op::ResponseCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Semaphore;

use super::packet::reply;
use super::server::within;

/// The address that upstreams give.
pub(crate) const FOUND: &str = "192.0.2.7";

/// How it behaves.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Answers.
    Answers,
    /// Says nothing.
    Silent,
    /// Cannot answer.
    Fails(ResponseCode),
    /// Sends a reply with another id first.
    WrongIdFirst,
    /// Answers over TCP only.
    Truncates,
    /// Answers once for every permit that the test adds.
    Waits(Arc<Semaphore>),
    /// Asks this server for this packet in turn, and answers what it gets.
    Asks(Arc<OnceLock<SocketAddr>>, Vec<u8>),
}

/// A running upstream.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    udp: Arc<AtomicUsize>,
    tcp: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts it.
    pub(crate) async fn start(manner: Manner) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let upstream = Self { address, udp: Arc::default(), tcp: Arc::default() };
        tokio::spawn(datagrams(Arc::new(udp), manner, Arc::clone(&upstream.udp)));
        tokio::spawn(connections(tcp, Arc::clone(&upstream.tcp)));
        upstream
    }

    /// How many queries came over UDP.
    pub(crate) fn asked(&self) -> usize {
        self.udp.load(Ordering::SeqCst)
    }

    /// How many came over TCP.
    pub(crate) fn asked_over_tcp(&self) -> usize {
        self.tcp.load(Ordering::SeqCst)
    }

    /// Waits for that many queries over UDP.
    pub(crate) async fn is_asked(&self, times: usize) {
        within(async {
            while self.asked() < times {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn found(query: &[u8]) -> hickory_proto::op::Message {
    reply(query, &[FOUND.parse::<Ipv4Addr>().unwrap()])
}

async fn datagrams(socket: Arc<UdpSocket>, manner: Manner, asked: Arc<AtomicUsize>) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        asked.fetch_add(1, Ordering::SeqCst);
        let (socket, manner, query) = (Arc::clone(&socket), manner.clone(), buffer[..length].to_vec());
        tokio::spawn(async move {
            for packet in replies(&manner, &query).await {
                socket.send_to(&packet, from).await.unwrap();
            }
        });
    }
}

async fn replies(manner: &Manner, query: &[u8]) -> Vec<Vec<u8>> {
    let mut message = found(query);
    let right = message.to_vec().unwrap();
    match manner {
        Manner::Answers => vec![right],
        Manner::Silent => Vec::new(),
        Manner::Fails(code) => {
            message.answers.clear();
            message.metadata.response_code = *code;
            vec![message.to_vec().unwrap()]
        }
        Manner::WrongIdFirst => {
            let mut wrong = reply(query, &[Ipv4Addr::new(192, 0, 2, 66)]).to_vec().unwrap();
            wrong[0] ^= 0xff;
            vec![wrong, right]
        }
        Manner::Truncates => {
            message.answers.clear();
            message.metadata.truncation = true;
            vec![message.to_vec().unwrap()]
        }
        Manner::Waits(permits) => {
            permits.acquire().await.unwrap().forget();
            vec![right]
        }
        Manner::Asks(server, packet) => {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.send_to(packet, server.get().unwrap()).await.unwrap();
            let mut answer = [0; 4096];
            socket.recv(&mut answer).await.unwrap();
            vec![right]
        }
    }
}

async fn connections(listener: TcpListener, asked: Arc<AtomicUsize>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut query).await.unwrap();
        asked.fetch_add(1, Ordering::SeqCst);
        let packet = found(&query).to_vec().unwrap();
        stream.write_u16(packet.len().try_into().unwrap()).await.unwrap();
        stream.write_all(&packet).await.unwrap();
    }
}
