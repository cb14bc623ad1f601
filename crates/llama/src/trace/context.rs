//! Makes a context with a callback, which llama-cpp-2's parameters don't offer: hence llama.cpp's own functions. Its
//! settings are those of a sweep, and so are its logits (moe-sweep's `tests/llama/trace.rs` compares them).

use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use llama_cpp_sys_2 as sys;

use super::capture::Capture;
use super::{Capturing, Routed, RoutingShape};
use crate::context::{context_params, raw};
use crate::{Error, Model, Settings, Token};

/// A context for a number of sequences side by side.
pub struct Context<'m> {
    context: NonNull<sys::llama_context>,
    /// None where nothing is captured. llama.cpp holds the pointer: it is made
    /// into a reference only while nothing is computed.
    capture: Option<NonNull<Capture>>,
    pub n_vocab: usize,
    /// The context borrows the model.
    model: PhantomData<&'m Model>,
}

/// A token to decode.
pub struct Item {
    pub token: Token,
    pub position: i32,
    pub sequence: i32,
    /// Whether its logits are wanted.
    pub logits: bool,
}

impl<'m> Context<'m> {
    /// # Errors
    /// When llama.cpp can't allocate it.
    pub fn new(model: &'m Model, settings: &Settings, capturing: Capturing) -> Result<Self, Error> {
        let mut params = raw(&context_params(settings)?);
        let capture = match capturing {
            Capturing::Off => None,
            Capturing::Routing => Some(NonNull::from(Box::leak(Box::<Capture>::default()))),
        };
        if let Some(capture) = capture {
            params.cb_eval = Some(Capture::on_node);
            params.cb_eval_user_data = capture.as_ptr().cast();
        }
        // SAFETY: LlamaModel is repr(transparent) over this pointer.
        let pointer = unsafe { *ptr::from_ref(&model.llama).cast::<*mut sys::llama_model>() };
        // SAFETY: the model lives for 'm, the capture until we are dropped.
        let made = NonNull::new(unsafe { sys::llama_init_from_model(pointer, params) });
        let Some(made) = made else {
            if let Some(capture) = capture {
                // SAFETY: leaked above, and no context holds it.
                drop(unsafe { Box::from_raw(capture.as_ptr()) });
            }
            let (context, rows) = (settings.context, settings.strategy.rows);
            return Err(Error::Context { context, rows, reason: "llama.cpp refused it".to_owned() });
        };
        let n_vocab = model.llama.n_vocab().unsigned_abs() as usize;
        Ok(Self { context: made, capture, n_vocab, model: PhantomData })
    }

    /// Forgets a sequence.
    pub fn clear(&mut self, sequence: i32) {
        // SAFETY: the context is alive; -1 stands for all positions.
        unsafe {
            let memory = sys::llama_get_memory(self.context.as_ptr());
            sys::llama_memory_seq_rm(memory, sequence, -1, -1);
        }
    }

    /// Evaluates the items, at most as many as the context has tokens.
    ///
    /// # Errors
    /// When llama.cpp fails.
    pub fn decode(&mut self, items: &[Item]) -> Result<(), Error> {
        if let Some(capture) = self.capture {
            // SAFETY: nothing is computed now.
            unsafe { &mut *capture.as_ptr() }.clear();
        }
        let mut tokens: Vec<_> = items.iter().map(|item| item.token).collect();
        let mut positions: Vec<_> = items.iter().map(|item| item.position).collect();
        let mut sequences: Vec<_> = items.iter().map(|item| item.sequence).collect();
        let mut sequence_of: Vec<_> = sequences.iter_mut().map(ptr::from_mut).collect();
        let mut counts = vec![1; items.len()];
        let mut logits: Vec<_> = items.iter().map(|item| i8::from(item.logits)).collect();
        let batch = sys::llama_batch {
            n_tokens: items.len() as i32,
            token: tokens.as_mut_ptr(),
            embd: ptr::null_mut(),
            pos: positions.as_mut_ptr(),
            n_seq_id: counts.as_mut_ptr(),
            seq_id: sequence_of.as_mut_ptr(),
            logits: logits.as_mut_ptr(),
        };
        // SAFETY: the batch's lists are as long as it says and live during the call.
        match unsafe { sys::llama_decode(self.context.as_ptr(), batch) } {
            0 => Ok(()),
            1 => Err(Error::Decode("the cache is full".to_owned())),
            code => Err(Error::Decode(format!("llama.cpp's code {code}"))),
        }
    }

    /// The logits after the `index`-th item of the last decode, which asked for them.
    ///
    /// # Errors
    /// When there are none.
    pub fn logits(&self, index: usize) -> Result<&[f32], Error> {
        // SAFETY: waits for what is being computed.
        let logits = unsafe { sys::llama_get_logits_ith(self.context.as_ptr(), index as i32) };
        if logits.is_null() {
            return Err(Error::Decode(format!("no logits for item {index}")));
        }
        // SAFETY: a row of the vocabulary's size, valid until the next decode, which needs `&mut self`.
        Ok(unsafe { slice::from_raw_parts(logits, self.n_vocab) })
    }

    /// What was captured in the last decode, where anything is: of item `row`,
    /// or of the last one.
    ///
    /// # Errors
    /// When the routers were not to be read.
    pub fn routing(&self, row: Option<usize>) -> Result<Option<(RoutingShape, Vec<Routed>)>, Error> {
        let Some(capture) = self.capture else { return Ok(None) };
        // SAFETY: nothing is computed now.
        let capture = unsafe { capture.as_ref() };
        row.map_or_else(|| capture.last(), |row| capture.row(row)).map(Some)
    }
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed once; the capture after what holds it.
        unsafe {
            sys::llama_free(self.context.as_ptr());
            if let Some(capture) = self.capture {
                drop(Box::from_raw(capture.as_ptr()));
            }
        }
    }
}
