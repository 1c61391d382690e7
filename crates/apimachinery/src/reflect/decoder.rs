//! [`Decoder`]: what decoding remembers, so that equal parts of many objects are decoded and kept
//! once.
use super::Desc;
use super::error::R;
use crate::fields_v1::FieldsCache;
use crate::rep::{Handle, Pool, Str};
use crate::{Codec, Error, Format, Object};
use std::sync::Arc;

/// A field, and the format its bytes are in.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) site: u32,
    pub(crate) json: bool,
}

/// Longest raw slice that is remembered; larger ones hardly ever repeat.
const MAX_RAW: usize = 64 * 1024;
/// Strings up to here are inline and need no sharing.
const INLINE_STR: usize = 7;
/// Longest string that is shared through the table.
const MAX_STR: usize = 256;
/// Where the score of a site starts: it must miss this often (large values count more), with no
/// hit, to be switched off.
const FIRST_SCORE: i32 = 1500;
/// Bytes that weigh as much as a lookup itself.
const WEIGHT: usize = 32;
/// A site that is switched off still tries this many of every 1024 times.
const TRIES: u16 = 32;

/// Whether sharing pays at one field: hits raise the score, misses lower it.
#[derive(Clone, Copy)]
struct Site {
    score: i32,
    tick: u16,
}

impl Site {
    #[inline]
    fn is_on(&mut self) -> bool {
        if self.score > 0 {
            return true;
        }
        self.tick = self.tick.wrapping_add(1);
        self.tick & 1023 < TRIES
    }
    /// A value of `len` bytes was known already.
    #[inline]
    fn hit(&mut self, len: usize) {
        self.score = (self.score + 8 * weight(len)).min(4 * FIRST_SCORE);
    }
    /// A value of `len` bytes was not known: it was copied for the table, perhaps in vain.
    #[inline]
    fn miss(&mut self, len: usize) {
        self.score = (self.score - weight(len)).max(-1);
    }
}

#[inline]
fn weight(len: usize) -> i32 {
    // Nothing longer than MAX_RAW comes here, so this fits.
    (1 + len / WEIGHT) as i32
}

struct Entry {
    hash: u64,
    /// Where the value was: the same bytes mean other things elsewhere.
    place: Place,
    raw: Box<[u8]>,
    value: Handle,
}

/// Context of decoding.
///
/// [`Decoder::new`] shares nothing: for a single object, whose strings it makes in blocks of half
/// a KiB; a string that outlives its object keeps its block. [`Decoder::interning`] belongs to one
/// informer or one long list: parts whose raw bytes were seen before are shared instead of decoded
/// again. Its tables are bounded and evict; a match is by hash and then by bytes, so a collision
/// can never alias two values. Fields that never repeat switch themselves off.
///
/// It holds no time, no lock and no I/O. It is `Send` but used by one decoding at a time.
///
/// ```
/// use pintle_apimachinery::{Codec, Decoder, Format, PartialObjectMetadata};
/// let text = br#"{"metadata":{"labels":{"app":"web","tier":"front"}}}"#;
/// let mut cx = Decoder::interning();
/// let mut next = || PartialObjectMetadata::decode(text, Format::Json, &mut cx);
/// assert_eq!(next()?, next()?); // what they have in common is there once
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub struct Decoder {
    tables: Option<Box<Tables>>,
    unknown_fields: u64,
    /// How often the outermost object said what it is.
    pub(super) said: u32,
    /// How deep the leaf is that is decoded now, where messages inside it go on counting.
    pub(super) depth: u32,
    /// What the next object is thought to be much like.
    old: Option<Arc<dyn Object>>,
    /// Where the strings of a single object are made.
    pool: Pool,
}

struct Tables {
    strings: Vec<Option<Str>>,
    entries: Vec<Option<Entry>>,
    /// First site of each described type, by `Desc::slot`; 0 = not yet given.
    bases: Vec<u32>,
    sites: Vec<Site>,
    fields: FieldsCache,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder::new()
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("interning", &self.tables.is_some()).finish_non_exhaustive()
    }
}

/// Few enough to stay in a processor's cache; more find hardly more.
const STRINGS: usize = 1 << 13;
const SETS: usize = 1 << 11;

impl Decoder {
    /// A decoder that shares nothing between objects.
    pub const fn new() -> Self {
        Decoder { tables: None, unknown_fields: 0, said: 0, depth: 0, old: None, pool: Pool::new() }
    }
    /// A decoder for many objects of a kind, sharing equal parts. The tables take about 300 KiB,
    /// and what they share.
    pub fn interning() -> Self {
        Decoder {
            tables: Some(Box::new(Tables {
                strings: std::iter::repeat_with(|| None).take(STRINGS).collect(),
                entries: std::iter::repeat_with(|| None).take(SETS * 2).collect(),
                bases: Vec::new(),
                sites: vec![Site { score: 0, tick: 0 }],
                fields: FieldsCache::default(),
            })),
            unknown_fields: 0,
            said: 0,
            depth: 0,
            old: None,
            pool: Pool::new(),
        }
    }
    /// Members and records that no field of the type took, since this decoder was made. They come
    /// from servers newer than the types.
    pub fn unknown_fields(&self) -> u64 {
        self.unknown_fields
    }
    /// Decodes a newer version of `old`. What the two have in common is shared, as
    /// [`Codec::reuse`] would have it, and costs less than decoding it.
    ///
    /// # Errors
    /// As [`Codec::decode`].
    pub fn decode_over<T: Object + Codec>(
        &mut self,
        bytes: &[u8],
        format: Format,
        old: &Arc<T>,
    ) -> Result<T, Error> {
        self.old = Some(old.clone());
        let new = T::decode(bytes, format, self);
        // Codecs that make nothing of it have left it where it was.
        let unused = self.old.take().is_some();
        new.map(|mut new| {
            if unused {
                new.reuse(old);
            }
            new
        })
    }
    /// The object that [`Decoder::decode_over`] was given, once.
    pub(crate) fn take_old(&mut self) -> Option<Arc<dyn Object>> {
        self.old.take()
    }
    /// How often the outermost object said what it is, since this was asked before.
    pub(crate) fn take_said(&mut self) -> u32 {
        std::mem::take(&mut self.said)
    }
    pub(crate) fn count_unknown(&mut self) {
        self.unknown_fields += 1;
    }
    #[inline]
    pub(crate) fn is_interning(&self) -> bool {
        self.tables.is_some()
    }
    /// First site of a described type with `fields` fields.
    #[inline]
    pub(crate) fn sites(&mut self, d: &Desc) -> u32 {
        let Some(t) = &mut self.tables else { return 0 };
        let (slot, fields) = (d.slot(), d.fields.len());
        match t.bases.get(slot) {
            Some(&base) if base != 0 => base,
            _ => t.add_sites(slot, fields),
        }
    }
    /// A string, shared when its text was seen at a site like this before.
    #[inline]
    pub(crate) fn str(&mut self, site: u32, s: &str) -> Str {
        match &mut self.tables {
            Some(t) if s.len() > INLINE_STR && s.len() <= MAX_STR => t.str(site as usize, s),
            Some(_) => Str::new(s),
            None => self.pool.str(s),
        }
    }
    /// [`Decoder::str`] of bytes, when they are UTF-8.
    #[inline]
    pub(crate) fn text(&mut self, site: u32, b: &[u8]) -> R<Str> {
        match self.tables {
            None => self.pool.utf8(b).map_err(super::wire::not_utf8),
            Some(_) => Ok(self.str(site, super::wire::utf8(b)?)),
        }
    }
    /// Whether raw bytes at `site` are worth looking up.
    #[inline]
    pub(crate) fn wants(&mut self, site: u32, len: usize) -> bool {
        match &mut self.tables {
            // Nothing at all is worth it too: an empty struct takes as much memory as a full one.
            Some(t) => len <= MAX_RAW && t.sites[site as usize].is_on(),
            None => false,
        }
    }
    /// The value that `raw` decoded to before.
    pub(crate) fn find(&mut self, place: Place, hash: u64, raw: &[u8]) -> Option<&Handle> {
        let site = place.site;
        let t = self.tables.as_mut()?;
        let set = (hash as usize & (SETS - 1)) * 2;
        for way in 0..2 {
            if t.entries[set + way]
                .as_ref()
                .is_some_and(|e| e.hash == hash && e.place == place && *e.raw == *raw)
            {
                if way == 1 {
                    t.entries.swap(set, set + 1);
                }
                t.sites[site as usize].hit(raw.len());
                return t.entries[set].as_ref().map(|e| &e.value);
            }
        }
        t.sites[site as usize].miss(raw.len());
        None
    }
    /// Remembers what `raw` decoded to.
    pub(crate) fn remember(&mut self, place: Place, hash: u64, raw: &[u8], value: Option<Handle>) {
        if let (Some(t), Some(value)) = (&mut self.tables, value) {
            let set = (hash as usize & (SETS - 1)) * 2;
            t.entries.swap(set, set + 1);
            t.entries[set] = Some(Entry { hash, place, raw: raw.into(), value });
        }
    }
    pub(crate) fn fields_cache(&mut self) -> Option<&mut FieldsCache> {
        self.tables.as_mut().map(|t| &mut t.fields)
    }
}

impl Tables {
    #[cold]
    fn add_sites(&mut self, slot: usize, fields: usize) -> u32 {
        if self.bases.len() <= slot {
            self.bases.resize(slot + 1, 0);
        }
        let base = self.sites.len() as u32;
        self.bases[slot] = base;
        // One more than there are fields: the last is for map keys.
        self.sites.extend(std::iter::repeat_n(Site { score: FIRST_SCORE, tick: 0 }, fields + 1));
        base
    }
    #[inline]
    fn str(&mut self, site: usize, s: &str) -> Str {
        let site = &mut self.sites[site];
        if !site.is_on() {
            return Str::new(s);
        }
        let slot = &mut self.strings[hash(s.as_bytes(), 0) as usize & (STRINGS - 1)];
        if let Some(known) = slot
            && known.as_str() == s
        {
            site.hit(0);
            return known.clone();
        }
        site.miss(0);
        let fresh = Str::new(s);
        *slot = Some(fresh.clone());
        fresh
    }
}

/// Hash of raw bytes, made different for each field.
#[inline]
pub(crate) fn hash(b: &[u8], seed: u32) -> u64 {
    rapidhash::v3::rapidhash_v3(b) ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hash of raw bytes.
pub(crate) fn hash_bytes(b: &[u8]) -> u64 {
    hash(b, 0)
}
