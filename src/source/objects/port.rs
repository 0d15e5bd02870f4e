//! Ports of Services, ServiceImports, slices and Endpoints.

use serde::Deserialize;

use super::meta::is_dns_label;
use crate::model::{Defect, Port};

/// One item of `ports`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawPort {
    pub(super) name: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) port: Option<i64>,
}

/// Whether a port without a number makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// It does not.
    Required,
    /// It does: a slice says with it that all ports are meant.
    Optional,
}

/// Converts the usable ports of the list `field`.
pub(super) fn convert(raw: Vec<RawPort>, field: &str, rule: Number, defects: &mut Vec<Defect>) -> Vec<Port> {
    let mut ports = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let number = match (raw.port, rule) {
            (None, Number::Optional) => None,
            (written, _) => match number(written) {
                Ok(number) => Some(number),
                Err(message) => {
                    defects.push(Defect::of_field(format!("{field}[{index}].port"), message));
                    continue;
                }
            },
        };
        let protocol = raw.protocol.filter(|protocol| !protocol.is_empty()).unwrap_or_else(|| "TCP".into());
        if !["TCP", "UDP", "SCTP"].iter().any(|known| known.eq_ignore_ascii_case(&protocol)) {
            let message = format!("`{protocol}` is not a protocol: TCP, UDP or SCTP");
            defects.push(Defect::of_field(format!("{field}[{index}].protocol"), message));
            continue;
        }
        match name(raw.name) {
            Ok(name) => ports.push(Port { name, protocol: protocol.into(), number }),
            Err(message) => defects.push(Defect::of_field(format!("{field}[{index}].name"), message)),
        }
    }
    ports
}

/// Checks the range.
pub(super) fn number(written: Option<i64>) -> Result<u16, String> {
    let written = written.ok_or("is missing")?;
    match u16::try_from(written) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{written} is not a port: 1 to 65535")),
    }
}

/// Checks that `_name` can stand in a DNS name; no name is fine.
pub(super) fn name(written: Option<String>) -> Result<Box<str>, String> {
    match written {
        Some(name) if !name.is_empty() && !is_dns_label(&name) => {
            Err(format!("`{name}` is not a port name: up to 63 letters, digits, `-` and `_`"))
        }
        name => Ok(name.unwrap_or_default().into()),
    }
}
