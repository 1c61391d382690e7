//! IP addresses and CIDR blocks. Go: `ip.go` of `k8s.io/apimachinery/pkg/util/validation`, with the
//! sloppy parsers of `k8s.io/utils/net`.
//!
//! ```
//! use pintle_apimachinery::validation::{FieldPath, valid_cidr, valid_ip, valid_ip_for_legacy_field};
//!
//! let path = FieldPath::new("spec").child("ip");
//! assert!(valid_ip(&path, "2001:db8::1").is_empty());
//! assert_eq!(
//!     valid_ip(&path, "2001:DB8::1").to_string(),
//!     r#"spec.ip: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")"#,
//! );
//! assert!(valid_ip_for_legacy_field(&path, "010.0.0.1", false, &[]).is_empty());
//! assert!(!valid_cidr(&path, "10.0.0.1/24").is_empty());
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{FieldError, FieldErrors, FieldPath};
use crate::parse_error::quote;

/// The largest number that Go's old parsers read.
const BIG: u32 = 0xFF_FFFF;

/// An address as Go's `net.IP` holds it: always sixteen bytes. An IPv4 address and the IPv6 address it is
/// mapped to are one and the same.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Address(Ipv6Addr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_ipv4_mapped() {
            Some(v4) => v4.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// A block as Go's `net.IPNet` holds it.
struct Block {
    /// The address as it was written.
    address: Address,
    /// The address without the bits behind the prefix.
    network: Address,
    /// How long the prefix is, in bits of the form that was written.
    length: u32,
    /// How many bits that form has: 32 or 128.
    bits: u32,
}

impl Block {
    /// The length where the network is shown: a mapped IPv4 network shows as IPv4.
    fn shown_length(&self, of: Address) -> u32 {
        let mapped = self.bits == 128 && of.0.to_ipv4_mapped().is_some();
        if mapped { self.length.saturating_sub(96) } else { self.length }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.shown_length(self.network))
    }
}

/// Digits at the front of a text as a number, and how many they are; `None` if there are none or too many.
fn number(text: &[u8], radix: u32) -> Option<(u32, usize)> {
    let mut value = 0;
    let mut length = 0;
    for digit in text.iter().map_while(|c| char::from(*c).to_digit(radix)) {
        value = value * radix + digit;
        length += 1;
        if value >= BIG {
            return None;
        }
    }
    (length > 0).then_some((value, length))
}

/// Go's `ParseIPSloppy` for IPv4: any number of zeros in front.
fn sloppy_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = text;
    let mut octets = [0; 4];
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let (value, length) = number(rest, 10)?;
        *octet = u8::try_from(value).ok()?;
        rest = &rest[length..];
    }
    rest.is_empty().then_some(octets.into())
}

/// Go's `ParseIPSloppy` for IPv6.
fn sloppy_v6(text: &[u8]) -> Option<Ipv6Addr> {
    let mut rest = text;
    let mut groups: Vec<u16> = Vec::with_capacity(8);
    let mut ellipsis = None;
    if let Some(after) = rest.strip_prefix(b"::") {
        ellipsis = Some(0);
        rest = after;
        if rest.is_empty() {
            return Some(Ipv6Addr::UNSPECIFIED);
        }
    }
    while groups.len() < 8 {
        let (value, length) = number(rest, 16)?;
        let value = u16::try_from(value).ok()?;
        if rest.get(length) == Some(&b'.') {
            if (ellipsis.is_none() && groups.len() != 6) || groups.len() > 6 {
                return None;
            }
            let v4 = sloppy_v4(rest)?.to_bits();
            groups.extend([(v4 >> 16) as u16, v4 as u16]);
            rest = &[];
            break;
        }
        groups.push(value);
        rest = &rest[length..];
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix(b":").filter(|rest| !rest.is_empty())?;
        if let Some(after) = rest.strip_prefix(b":") {
            if ellipsis.is_some() {
                return None;
            }
            ellipsis = Some(groups.len());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return None;
    }
    match ellipsis {
        Some(at) if groups.len() < 8 => {
            let missing = 8 - groups.len();
            groups.splice(at..at, std::iter::repeat_n(0, missing));
        }
        None if groups.len() == 8 => {}
        _ => return None,
    }
    <[u16; 8]>::try_from(groups).ok().map(Ipv6Addr::from)
}

fn sloppy(text: &str) -> Option<Address> {
    // Which of them it is, the first point or colon says.
    match text.bytes().find(|c| matches!(c, b'.' | b':'))? {
        b'.' => sloppy_v4(text.as_bytes()).map(|v4| Address(v4.to_ipv6_mapped())),
        _ => sloppy_v6(text.as_bytes()).map(Address),
    }
}

fn sloppy_cidr(text: &str) -> Option<Block> {
    let (address, mask) = text.split_once('/')?;
    let v4 = sloppy_v4(address.as_bytes());
    let bits = if v4.is_some() { 32 } else { 128 };
    let address = match v4 {
        Some(v4) => v4.to_ipv6_mapped(),
        None => sloppy_v6(address.as_bytes())?,
    };
    let (length, read) = number(mask.as_bytes(), 10)?;
    if read != mask.len() || length > bits {
        return None;
    }
    Some(Block {
        address: Address(address),
        network: Address(masked(address, length, bits)),
        length,
        bits,
    })
}

/// The address with the bits behind the prefix cleared.
fn masked(address: Ipv6Addr, length: u32, bits: u32) -> Ipv6Addr {
    let host = bits - length;
    let mask = u128::MAX.checked_shl(host).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// Go's `netip.ParseAddr`, for what the sloppy parser takes: no zeros in front, four digits a group.
fn strict(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// Go's `netip.ParsePrefix`, likewise.
fn strict_cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.rsplit_once('/')?;
    if length.len() > 1 && length.starts_with('0') {
        return None;
    }
    Some((strict(address)?, length.parse().ok()?))
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

fn check_ip(path: &FieldPath, text: &str, strictly: bool) -> (Option<Address>, FieldErrors) {
    let invalid = |detail: &str| FieldErrors::from(FieldError::invalid(path, text, detail));
    let Some(address) = sloppy(text) else {
        return (None, invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
    };
    let errors = match strict(text) {
        _ if !strictly => FieldErrors::default(),
        None => invalid("must not have leading 0s"),
        Some(parsed) if is_mapped(parsed) => invalid("must not be an IPv4-mapped IPv6 address"),
        Some(_) => FieldErrors::default(),
    };
    (Some(address), errors)
}

/// Whether this is an IP address in its canonical form, as new fields take it. Go: `IsValidIP`.
pub fn valid_ip(path: &FieldPath, text: &str) -> FieldErrors {
    let (address, mut errors) = check_ip(path, text, true);
    if let Some(address) = address.map(|a| a.to_string())
        && errors.is_empty()
        && address != text
    {
        let detail = format!("must be in canonical form ({})", quote(&address));
        errors.push(FieldError::invalid(path, text, detail));
    }
    errors.with_origin("format=ip-strict")
}

/// Whether this is an IP address as fields take it that are older than the strict rules: in any form. Unless
/// `strict`, zeros in front of octets and IPv4-mapped IPv6 addresses are fine. `old` are the values that the
/// object has already, which stay valid. Go: `IsValidIPForLegacyField`.
pub fn valid_ip_for_legacy_field(
    path: &FieldPath,
    text: &str,
    strict: bool,
    old: &[&str],
) -> FieldErrors {
    if old.contains(&text) {
        return FieldErrors::default();
    }
    check_ip(path, text, strict).1.with_origin("format=ip-sloppy")
}

/// What to warn of about an address that a legacy field has taken; nothing about one that it has not.
/// Go: `GetWarningsForIP`.
pub fn ip_warnings(path: &FieldPath, text: &str) -> Vec<String> {
    let Some(address) = sloppy(text) else { return Vec::new() };
    let shown = quote(text);
    let warning = match strict(text) {
        Some(parsed) if !is_mapped(parsed) => {
            let canonical = parsed.to_string();
            (parsed.is_ipv6() && canonical != text).then(|| {
                let canonical = quote(&canonical);
                format!("{path}: IPv6 address {shown} should be in RFC 5952 canonical format ({canonical})")
            })
        }
        _ => {
            let address = address.to_string();
            let address = quote(&address);
            Some(format!("{path}: non-standard IP address {shown} is invalid: use {address}"))
        }
    };
    warning.into_iter().collect()
}

fn check_cidr(path: &FieldPath, text: &str, strictly: bool) -> (Option<Block>, FieldErrors) {
    let invalid = |detail: &str| FieldErrors::from(FieldError::invalid(path, text, detail));
    let Some(block) = sloppy_cidr(text) else {
        return (None, invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
    };
    let errors = match strict_cidr(text) {
        _ if !strictly => FieldErrors::default(),
        None => invalid("must not have leading 0s in IP or prefix length"),
        Some((parsed, _)) if is_mapped(parsed) => {
            invalid("must not have an IPv4-mapped IPv6 address")
        }
        Some(_) if block.address != block.network => {
            invalid("must not have bits set beyond the prefix length")
        }
        Some(_) => FieldErrors::default(),
    };
    (Some(block), errors)
}

/// Whether this is a block of addresses in its canonical form, without bits behind the prefix.
/// Go: `IsValidCIDR`.
pub fn valid_cidr(path: &FieldPath, text: &str) -> FieldErrors {
    let (block, mut errors) = check_cidr(path, text, true);
    if let Some(block) = block.map(|b| b.to_string())
        && errors.is_empty()
        && block != text
    {
        let detail = format!("must be in canonical form ({})", quote(&block));
        errors.push(FieldError::invalid(path, text, detail));
    }
    errors
}

/// Whether this is a block of addresses as fields take it that are older than the strict rules; see
/// [`valid_ip_for_legacy_field`]. Go: `IsValidCIDRForLegacyField`.
pub fn valid_cidr_for_legacy_field(
    path: &FieldPath,
    text: &str,
    strict: bool,
    old: &[&str],
) -> FieldErrors {
    if old.contains(&text) {
        return FieldErrors::default();
    }
    check_cidr(path, text, strict).1
}

/// What to warn of about a block that a legacy field has taken. Go: `GetWarningsForCIDR`.
pub fn cidr_warnings(path: &FieldPath, text: &str) -> Vec<String> {
    let Some(block) = sloppy_cidr(text) else { return Vec::new() };
    let mut warnings = Vec::new();
    let (shown, network) = (quote(text), block.to_string());
    let network = quote(&network);
    if block.address != block.network {
        let single = format!("{}/{}", block.address, block.bits);
        let single = quote(&single);
        warnings.push(format!(
            "{path}: CIDR value {shown} is ambiguous in this context (should be {network} or {single}?)"
        ));
    }
    match strict_cidr(text) {
        Some((parsed, length)) if !is_mapped(parsed) => {
            let canonical = format!("{parsed}/{length}");
            if warnings.is_empty() && parsed.is_ipv6() && canonical != text {
                let canonical = quote(&canonical);
                warnings.push(format!(
                    "{path}: IPv6 CIDR value {shown} should be in RFC 5952 canonical format ({canonical})"
                ));
            }
        }
        _ => warnings
            .push(format!("{path}: non-standard CIDR value {shown} is invalid: use {network}")),
    }
    warnings
}

/// Whether this is the address of an interface with the length of its network, in canonical form, such as
/// `192.168.1.5/24`. Go: `IsValidInterfaceAddress`.
pub fn valid_interface_address(path: &FieldPath, text: &str) -> FieldErrors {
    let Some(block) = sloppy_cidr(text) else {
        let detail = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
        return FieldError::invalid(path, text, detail).into();
    };
    // Unlike a network, a mapped address keeps a length of up to 32.
    let mapped = block.address.0.to_ipv4_mapped().is_some() && block.length > 32;
    let length = if mapped { block.length.wrapping_sub(96) as i32 } else { block.length as i32 };
    let canonical = format!("{}/{length}", block.address);
    if canonical == text {
        return FieldErrors::default();
    }
    let detail = format!("must be in canonical form ({})", quote(&canonical));
    FieldError::invalid(path, text, detail).into()
}
