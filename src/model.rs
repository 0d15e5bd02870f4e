//! Our nouns: names, zones and the objects that DNS answers are made of.
//!
//! Nothing here knows where an object came from or how a DNS message looks; every type is built in one checked
//! place and needs no second look afterwards.

mod answer_mode;
mod defect;
mod endpoint_slice;
mod label_selector;
mod labels;
mod name;
mod name_table;
mod namespace;
mod object;
mod pod;
mod port;
mod service;
mod service_entry;
mod service_import;
mod stamp;
mod target;
mod ttl;
mod utc;
mod workload_entry;
mod zone;

pub use answer_mode::AnswerMode;
pub use defect::Defect;
pub use endpoint_slice::{Addresses, Endpoint, EndpointAddress, EndpointSlice, Imported};
pub use label_selector::{LabelSelector, LabelSelectorError};
pub use labels::Labels;
pub use name::{Name, NameError, dotted};
pub(crate) use name::{labels, push_label};
pub use name_table::{Registry, TableRow};
pub use namespace::Namespace;
pub use object::{Change, Key, Kind, Object, ObjectName};
pub use pod::Pod;
pub use port::Port;
pub use service::{Addressing, Service};
pub use service_entry::{Host, HostError, Resolution, ServiceEntry};
pub use service_import::ServiceImport;
pub use stamp::Stamp;
pub use target::Target;
pub use ttl::{Ttl, TtlError};
pub use utc::Utc;
pub use workload_entry::WorkloadEntry;
pub use zone::{Cidr, CidrError, Zone, ZoneKind, Zones, ZonesError, reverse_address, reverse_name};
