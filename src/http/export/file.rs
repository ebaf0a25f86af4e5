//! Files of any length on their way out, of which only a stretch is in memory at a time.
//!
//! Each stretch is read when the reader has taken the one before, so a slow reader holds nothing but its connection,
//! and one that goes away is read for no more.

use std::{io, ops::ControlFlow, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header,
    web::{Bytes, Data},
};
use futures_util::{Stream, stream};
use serde_json::Value;

use super::super::{Front, caller, gone};
use crate::{
    api::{
        Call, Caller,
        export::{Plan, Progress},
    },
    error::{Error, Result},
    export::{Packer, Writer},
    store::{Store, Tx},
};

/// After how many bytes a stretch ends early.
const BYTES: usize = 4 << 20;

/// A file that somebody asked for.
pub(in crate::http) struct Download {
    /// What is in it.
    pub(in crate::http) plan: Plan,
    /// What writes it.
    pub(in crate::http) writer: Writer,
    /// How it is packed.
    pub(in crate::http) packing: Packing,
    /// What each record is made into.
    pub(in crate::http) shaping: Shaping,
    /// What it is called.
    pub(in crate::http) name: String,
}

/// How a file is packed for its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Packing {
    /// Not at all.
    None,
    /// For the way alone: whoever asked unpacks it.
    Encoding,
    /// The file itself is compressed.
    File,
}

/// Makes something else of a record.
pub(in crate::http) type Shape = Box<dyn Fn(&Value) -> Result<Value> + Send>;

/// What a record is made into before it is written.
pub(in crate::http) enum Shaping {
    /// It is written as it is.
    AsItIs,
    /// What this makes of it is written.
    By(Shape),
}

/// A file whose first part is read.
pub(in crate::http) struct Opened {
    file: File,
    first: Part,
    head: HttpResponseBuilder,
}

impl Opened {
    /// The answer that sends it, a stretch at a time.
    pub(in crate::http) fn answer(
        mut self,
        front: Data<Front>,
        (call, request): (&Call, &HttpRequest),
    ) -> HttpResponse {
        let asked = Asked { front, request: request.clone(), caller: Arc::clone(&call.caller) };
        self.head.streaming(stretches(asked, self.file, self.first))
    }
}

/// Reads the first part of a file, before anything is answered, so that what is wrong has its own status.
pub(in crate::http) async fn open(
    front: &Data<Front>,
    request: &HttpRequest,
    download: Download,
) -> Result<Opened> {
    let Download { plan, writer, packing, shaping, name } = download;
    let media_type = writer.media_type();
    let packer = if packing == Packing::None { Packer::Plain } else { Packer::gzip() };
    let file =
        File { plan: Arc::new(plan), progress: Progress::default(), writer, packer, shaping };
    let (file, first) = gone::awaited(request, read(&front.app.store, file)).await?;
    let first = first?;
    let mut head = HttpResponse::Ok();
    head.content_type(if packing == Packing::File { "application/gzip" } else { media_type });
    let disposition = format!("attachment; filename=\"{name}\"");
    head.insert_header((header::CONTENT_DISPOSITION, disposition));
    head.insert_header((header::VARY, "accept, accept-encoding"));
    if packing == Packing::Encoding {
        head.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(Opened { file, first, head })
}

/// A file on its way.
struct File {
    plan: Arc<Plan>,
    progress: Progress,
    writer: Writer,
    packer: Packer,
    shaping: Shaping,
}

/// A part of a file, and whether it is the last one.
struct Part {
    bytes: Vec<u8>,
    is_last: bool,
}

impl File {
    /// The next part.
    fn next(&mut self, tx: &dyn Tx) -> Result<Part> {
        let Self { plan, progress, writer, packer, shaping } = self;
        let more = plan.go_on(tx, progress, &mut |record| {
            match shaping {
                Shaping::AsItIs => writer.add(record)?,
                Shaping::By(shape) => writer.add(&shape(record)?)?,
            }
            let is_full = writer.waiting() >= BYTES;
            Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if more {
            return Ok(Part { bytes: packer.pack(writer.take())?, is_last: false });
        }
        writer.end();
        Ok(Part { bytes: packer.finish(writer.take())?, is_last: true })
    }

    /// What says in the file that it is not whole, where it has words for that.
    fn fail(&mut self, error: &Error) -> Option<Vec<u8>> {
        // What was read of the stretch that failed is whole lines.
        if !self.writer.fail(error) {
            return None;
        }
        self.packer.finish(self.writer.take()).ok()
    }
}

/// Reads the next part of a file, in a snapshot of its own and under the limit of any query: a filter that finds nothing
/// must not hold a thread and the log for as long as it takes to read everything.
async fn read(store: &Store, mut file: File) -> Result<(File, Result<Part>)> {
    store
        .read(move |tx| {
            let part = file.next(tx);
            Ok((file, part))
        })
        .await
}

/// A file that is not over yet, and a part of it that was read already.
type Rest = Option<(File, Option<Part>)>;

/// Who asked for a file, and how.
#[derive(Clone)]
struct Asked {
    front: Data<Front>,
    request: HttpRequest,
    caller: Arc<Caller>,
}

impl Asked {
    /// The next part of a file, if whoever asked for it may still see what they might when they asked.
    async fn read(&self, file: File) -> Result<(File, Result<Part>)> {
        let app = &self.front.app;
        match caller::unchanged(app, &self.request, &self.caller) {
            Ok(()) => gone::awaited(&self.request, read(&app.store, file)).await,
            Err(error) => Ok((file, Err(error))),
        }
    }
}

/// The parts of a file, each read when the one before was taken.
fn stretches(asked: Asked, file: File, first: Part) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some((file, Some(first))), move |rest: Rest| {
        let asked = asked.clone();
        async move {
            let (file, waiting) = rest?;
            step(&asked, file, waiting).await
        }
    })
}

async fn step(
    asked: &Asked,
    file: File,
    waiting: Option<Part>,
) -> Option<(io::Result<Bytes>, Rest)> {
    let (mut file, part) = match waiting {
        Some(part) => (file, Ok(part)),
        None => match asked.read(file).await {
            Ok(read) => read,
            Err(error) => return Some((Err(io::Error::other(error)), None)),
        },
    };
    match part {
        Ok(Part { bytes, is_last }) if is_last && bytes.is_empty() => None,
        Ok(Part { bytes, is_last }) => Some((Ok(bytes.into()), (!is_last).then_some((file, None)))),
        Err(error) => {
            tracing::warn!(%error, cause = ?error.cause, "an export was cut");
            let said = file.fail(&error).map(Bytes::from);
            Some((said.ok_or_else(|| io::Error::other(error)), None))
        }
    }
}
