//! Fernet, the format of Frappe's encrypted fields: version 0x80, eight bytes
//! of time, sixteen of IV, AES-128-CBC with PKCS#7 padding, HMAC-SHA-256 over
//! all before it; the whole in padded URL-safe base64.
//! Format: <https://github.com/fernet/spec>.

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, Zeroizing};

use crate::{CryptoError, Entropy, Result, Secret};

const VERSION: u8 = 0x80;
const TIME_BYTES: usize = 8;
const IV_BYTES: usize = 16;
const MAC_BYTES: usize = 32;
const HALF_KEY_BYTES: usize = 16;
/// Bytes of an encryption key before base64.
pub(crate) const KEY_BYTES: usize = 2 * HALF_KEY_BYTES;

/// Python reads keys leniently (missing padding, left-over bits), and an
/// administrator may have typed one in: what Frappe accepts must open here.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A new `encryption_key` for a site: 44 characters, the base64 of 32 bytes.
pub fn generate_encryption_key(entropy: &dyn Entropy) -> Secret<String> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    entropy.fill(bytes.as_mut());
    Secret::new(URL_SAFE.encode(bytes.as_ref()))
}

/// The 32 bytes behind the text of an `encryption_key`.
pub(crate) fn decode_encryption_key(text: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    let url_safe = Zeroizing::new(text.trim().replace('+', "-").replace('/', "_"));
    let mut bytes = LENIENT
        .decode(url_safe.as_bytes())
        .map_err(|_| CryptoError::EncryptionKey)?;
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| CryptoError::EncryptionKey);
    bytes.zeroize();
    key
}

/// Encrypts and decrypts with one site's key. The keys are prepared once.
pub struct Fernet {
    signing: hmac::Key,
    encrypting: PaddedBlockEncryptingKey,
    decrypting: PaddedBlockDecryptingKey,
}

impl Fernet {
    /// Reads the key of `site_config.json`.
    ///
    /// # Errors
    /// [`CryptoError::EncryptionKey`] when it is not 32 bytes in base64.
    pub fn new(encryption_key: &str) -> Result<Self> {
        Self::from_bytes(&*decode_encryption_key(encryption_key)?)
    }

    pub(crate) fn from_bytes(key: &[u8; KEY_BYTES]) -> Result<Self> {
        let (signing, encryption) = key.split_at(HALF_KEY_BYTES);
        let cipher = || UnboundCipherKey::new(&AES_128, encryption);
        Ok(Self {
            signing: hmac::Key::new(hmac::HMAC_SHA256, signing),
            encrypting: PaddedBlockEncryptingKey::cbc_pkcs7(cipher()?)?,
            decrypting: PaddedBlockDecryptingKey::cbc_pkcs7(cipher()?)?,
        })
    }

    /// Encrypts `plain`. `now_seconds` (Unix time) is readable in the token.
    ///
    /// # Errors
    /// [`CryptoError::Backend`] only.
    pub fn encrypt(&self, entropy: &dyn Entropy, now_seconds: u64, plain: &[u8]) -> Result<String> {
        let mut iv = [0; IV_BYTES];
        entropy.fill(&mut iv);
        self.encrypt_with_iv(iv, now_seconds, plain)
    }

    fn encrypt_with_iv(
        &self,
        iv: [u8; IV_BYTES],
        now_seconds: u64,
        plain: &[u8],
    ) -> Result<String> {
        let mut body = plain.to_vec();
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        let encrypted = self.encrypting.less_safe_encrypt(&mut body, context);
        if encrypted.is_err() {
            body.zeroize();
            return Err(CryptoError::Backend);
        }
        let mut token = Vec::with_capacity(1 + TIME_BYTES + IV_BYTES + body.len() + MAC_BYTES);
        token.push(VERSION);
        token.extend_from_slice(&now_seconds.to_be_bytes());
        token.extend_from_slice(&iv);
        token.extend_from_slice(&body);
        let mac = hmac::sign(&self.signing, &token);
        token.extend_from_slice(mac.as_ref());
        Ok(URL_SAFE.encode(token))
    }

    /// Decrypts a token of any age: a stored field does not expire.
    ///
    /// # Errors
    /// [`CryptoError::Undecryptable`], whatever is wrong with the token.
    pub fn decrypt(&self, token: &str) -> Result<Secret<Vec<u8>>> {
        self.open(token).ok_or(CryptoError::Undecryptable)
    }

    fn open(&self, token: &str) -> Option<Secret<Vec<u8>>> {
        let bytes = URL_SAFE.decode(token).ok()?;
        let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        // The MAC comes first: nothing unauthenticated is ever decrypted.
        hmac::verify(&self.signing, signed, mac).ok()?;
        let (&version, rest) = signed.split_first()?;
        let (_time, rest) = rest.split_at_checked(TIME_BYTES)?;
        let (iv, body) = rest.split_first_chunk::<IV_BYTES>()?;
        if version != VERSION || body.is_empty() || !body.len().is_multiple_of(IV_BYTES) {
            return None;
        }
        let mut plain = body.to_vec();
        let context = DecryptionContext::Iv128(FixedLength::from(*iv));
        let length = self
            .decrypting
            .decrypt(&mut plain, context)
            .map(|p| p.len());
        let Ok(length) = length else {
            plain.zeroize();
            return None;
        };
        plain.truncate(length);
        Some(Secret::new(plain))
    }
}

impl fmt::Debug for Fernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fernet(…)")
    }
}
