# The words of SRPO Studio in English. Every message that the program can show stands here; `core/messages.py` reads
# this file, and tests/test_words.py checks that nothing is missing, unused or said elsewhere.
#
# `.todo` of a message says what to do next, `.details` what few people need to read.
# A parameter's label is `param-` and its name.
# $provider is the name of an account's service, $says its own words as `provider-says` quotes them (empty for none),
# $after how long to wait, as one of the `wait-` messages, $field and other names are the API's own.

## Of use everywhere

# A sentence that was stored as text before messages had codes, or that came as text from outside.
recorded = { $what }
    .todo = { $todo }
wait-seconds = { $amount } s
wait-minutes = { $amount } min
wait-hours = { $amount } h

## Pictures that cannot be used

-readable-formats = PNG, JPEG, HEIC, WebP, AVIF, GIF, TIFF or BMP

image-needed = There is no reference image.
    .todo = Send an image file.
image-not-chosen = Add a reference picture first, or choose an example.
image-absent = There is no picture.
    .todo = Send an address that begins with https://, a data URI, or base64.
image-field-missing = There is no image.
    .todo = Send the picture as the form field `image`.
image-file-empty = The file is empty.
    .todo = Choose the picture again.
image-file-gone = The uploaded file is gone.
    .todo = Choose the picture again.
image-not-stored = The reference image is no longer stored.
    .todo = Choose the picture again.
image-removed = This picture was removed.
image-file-too-large = The file is { NUMBER($size, minimumFractionDigits: 1, maximumFractionDigits: 1) } MB; the limit is { NUMBER($limit, maximumFractionDigits: 1) } MB.
    .todo = Save it smaller.
image-too-large = The picture is too large.
    .todo = The limit is { $limit } MB.
image-too-many-pixels = { NUMBER($width, useGrouping: 0) }×{ NUMBER($height, useGrouping: 0) } is too large ({ NUMBER($megapixels, maximumSignificantDigits: 4) } megapixels).
    .todo = The limit is { NUMBER($limit, maximumSignificantDigits: 4) } megapixels and { $side } pixels a side.
image-too-much-memory = Reading this picture would take { NUMBER($needed, maximumFractionDigits: 1) } GB of memory.
    .todo = The limit is { NUMBER($limit, maximumFractionDigits: 1) } GB. Scale it down, or save it as a JPEG that is not progressive.
image-built-to-overload = This file is unusually built and was refused.
    .todo = Export it again as PNG or JPEG.
image-damaged = The picture is damaged.
    .todo = Save it again and retry.
image-header-damaged = The picture ({ $format }) is damaged at its beginning, or of a rare kind.
    .todo = Save it again and retry.
image-display-damaged = The stored picture is damaged and cannot be shown.
    .todo = Download it, or make it again.
image-unreadable = The picture cannot be read.
    .todo = Save it again as PNG or JPEG.
image-too-slow = The picture takes too long to read.
    .todo = Save it again as PNG or JPEG, or scale it down.
image-memory-spent = The picture needs too much memory to be read.
    .todo = Scale it down, or save it as a JPEG.
image-not-base64 = "{ $begin }" is the beginning of neither an address nor a picture in base64.
    .todo = Send an address that begins with https://, a data URI, or base64.
image-not-a-picture = This file is not a picture.
image-far-too-large = The picture has far too many pixels.

# $format is a name such as JPEG XL.
image-format-to-save = { $format } is not supported.
    .todo = Save it as JPEG or PNG.
image-format-to-export = { $format } is not supported.
    .todo = Export it as PNG or JPEG.
image-file-to-export =
    { $kind ->
        [postscript] This is a PostScript file.
        [eps] This is a PostScript file (EPS).
        [photoshop] This is a Photoshop file.
        [gimp] This is a GIMP file.
        [ico] This is an icon (ICO).
        [cur] This is a cursor (CUR).
        [icns] This is an icon (ICNS).
        [wmf] This is a vector graphic (WMF).
        [emf] This is a vector graphic (EMF).
        [dicom] This is a medical image (DICOM).
        [fits] This is an astronomical image (FITS).
       *[dds] This is a game texture (DDS).
    }
    .todo = Export it as PNG or JPEG.
image-is-archive =
    { $kind ->
        [zip-or-office] This is a ZIP archive or an Office document.
        [zip] This is a ZIP archive.
        [rar] This is a RAR archive.
        [seven-zip] This is a 7z archive.
        [gzip] This is a gzip archive.
        [tar] This is a tar archive.
       *[office] This is an Office document.
    }
    .todo = Take the picture out of it and use that.
image-is-video = This is a video.
    .todo = Choose a photo, or take a screenshot of the frame you want.
image-is-sound = This is a sound recording.
    .todo = Choose a photo.
image-is-raw = This is a camera's raw file.
    .todo = Export it as JPEG or TIFF in your photo program.
image-is-pdf = This is a PDF.
    .todo = Export its page as PNG, or take a screenshot of it.
image-is-web-page = This is a web page.
    .todo = Open it, save the picture itself, and use that.
image-is-svg = This is a vector graphic (SVG).
    .todo = Export it as PNG.
image-is-text = This is text, not a picture.
    .todo = Use { -readable-formats }.
image-is-json = This is JSON text, not a picture.
    .todo = Use { -readable-formats }.
image-is-program = This is a program.
    .todo = Use { -readable-formats }.
image-is-unknown = This file is not a picture the app can read.
    .todo = Use { -readable-formats }.

## Reading a picture from a link

link-data-uri-broken = This data URI cannot be read.
    .todo = Send data:image/png;base64, and the file in base64.
link-file-too-large = The file is larger than { $limit } MB.
    .todo = Use a smaller one.
link-not-web = This link cannot be used. It must start with https:// or http://, with the usual port.
    .todo = { link-else }
link-private = This link points to a private network, which the app does not read.
    .todo = { link-else }
link-redirects = This link redirects too many times.
    .todo = { link-else }
link-forbidden = The site does not let this app read the link (status { $status }).
    .todo = { link-else }
link-status = The site answered with status { $status }.
    .todo = { link-else }
link-encoding = The site compresses the picture in a way that is not supported: { $encoding }.
    .todo = { link-else }
link-web-page = This link leads to a web page, not a picture.
    .todo = Open it, and copy the link of the picture itself.
link-too-slow = The site took too long to answer.
    .todo = { link-else }
link-unreadable = The link could not be read.
    .todo = { link-else }
link-else = Check the link, or save the picture and drop it here.
link-unreachable = The address could not be reached.
link-picture-gone = This picture is no longer stored here.
    .todo = Upload it again.
link-not-uploaded = Nothing was uploaded to this address.
    .todo = Send the picture to its ticket first.
link-not-yours = This upload is not here, or is not yours.
    .todo = Upload the picture again.

## Requests

prompt-empty = The prompt is empty.
    .todo = Write what the picture should become.
prompt-broken = The prompt has a broken character.
    .todo = Delete it and type it again.
prompt-too-long = The prompt is { $length } characters long.
    .todo = The limit is { $limit }.
value-number = { $value } does not fit.
    .todo = Give a number from { $minimum } to { $maximum }.
value-whole-number = { $value } does not fit.
    .todo = Give a whole number from { $minimum } to { $maximum }.
value-choice = { $value } does not fit.
    .todo = Give one of { $choices }.
value-toggle = { $value } does not fit.
    .todo = Give true or false.
value-of-kind = This { $kind }
setting-unknown = { $backend } has no such setting.
    .todo = It has { $settings }.
body-too-deep = It has more than { $limit } levels of lists and objects.
    .todo = Send fewer.
body-too-large = Beside its image, a request holds at most { $limit } KB.
    .todo = Send less.
body-not-object = This is not a JSON object.
    .todo = Send the fields in one.
stream-unsupported = Streaming is not supported.
    .todo = Leave it out.
count-differs = It differs from num_images.
    .todo = Send one of the two.
mask-unsupported = Masks are not supported yet.
    .todo = Leave it out: the whole picture is edited.
webhook-not-address = This is not an address.
    .todo = Give one that begins with https://.
idempotency-key-length = The header does not fit.
    .todo = Send 1 to 255 characters.
idempotency-key-reused = This Idempotency-Key was used for a different request.
    .todo = Use a new one.
model-unknown = There is no model { $model } here.
    .todo = The models are { $models }.
backend-unknown = There is no backend { $backend }.
    .todo = Give one of { $backends }.
tool-unknown = There is no tool { $tool }.
    .todo = There is { $tools }.
input-unknown = There is no such input.
    .todo = The inputs are { $inputs }.
prediction-unknown = There is no such prediction.
    .todo = Results are stored for a while; check the id.
file-field-missing = The form has no file.
    .todo = Send the picture as the form field `file`.
upload-too-large = The limit is { $limit } MB.
    .todo = Send a smaller picture.
upload-ticket-used = This upload ticket was used or has expired.
    .todo = Ask for a new one.

## Experiments

axes-number = An experiment has one to { $limit } axes.
axes-twice = { $name } is an axis already.
    .todo = Put all of its values into one axis.
axes-value-twice = The axis { $name } has this value already.
    .todo = Remove one of the two.
axes-empty = The axis { $name } has no values.
axes-too-many-cells = These axes make { $count } runs; an experiment has at most { $limit }.
    .todo = Leave out some values.
axes-range = { $name } has no range of values.
    .todo = Give at least two values one by one.
axes-search = The prompt does not contain { $search }.
axes-needed = There are no axes.
    .todo = Write them as `strength: 0.3, 0.5; seed: 1, 2`, ranges as `strength: 0.3..0.9 in 5`, or as JSON.
experiment-progress = { $done } of { $total } done
experiment-stopped = Stopped: { $why }
experiment-images-left-out =
    { $count ->
        [one] { $count } image is left out, for the answer would be too large.
       *[other] { $count } images are left out, for the answer would be too large.
    }
axes-unreadable = The axes cannot be read at { $part }.
    .todo = Write them as `strength: 0.3, 0.5; seed: 1, 2`, ranges as `strength: 0.3..0.9 in 5`, or as JSON.
axes-text-long = The axes are longer than { $limit } characters.
axes-name = { $name } is no axis.
    .todo = Use one of { $names }.
style-unknown = There is no style { $name }.
    .todo = Use one of { $names }.
styles-too-many = One picture has at most { $limit } styles.
axes-unknown = The experiment has no axis { $name }.
experiment-asks = This experiment makes { $runs } runs and costs ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) }.
    .todo = Confirm it to begin.
experiment-unknown = This experiment is not here.

## Access and limits

api-disabled = The API is disabled.
    .todo = Its owner enables it with `python app.py keys new NAME`.
api-key-wrong = The key is missing or wrong.
    .todo = Send `Authorization: Bearer` with a key to this app.
api-spends-nothing = This app's API does not spend its owner's money at { $backend }.
    .todo = Ask them for STUDIO_API_SPENDS.
limit-runs-minute =
    { $amount ->
        [one] Limit reached: { $amount } run a minute.
       *[other] Limit reached: { $amount } runs a minute.
    }
    .todo = Try again in { $after }.
limit-runs-day =
    { $amount ->
        [one] Limit reached: { $amount } run a day.
       *[other] Limit reached: { $amount } runs a day.
    }
    .todo = Try again in { $after }.
limit-requests = Limit reached: { NUMBER($amount, maximumFractionDigits: 1) } requests a minute for one { $who ->
        [address] network address
       *[visitor] visitor
    }.
    .todo = Try again in { $after }.
limit-references = Limit reached: { NUMBER($amount, maximumFractionDigits: 1) } pictures a minute for one { $who ->
        [address] network address
       *[visitor] visitor
    }.
    .todo = Try again in { $after }.
limit-fetches = Limit reached: { NUMBER($amount, maximumFractionDigits: 1) } links a minute for one { $who ->
        [address] network address
       *[visitor] visitor
    }.
    .todo = Try again in { $after }.
limit-key-checks = Limit reached: { NUMBER($amount, maximumFractionDigits: 1) } key checks a minute for one { $who ->
        [address] network address
       *[visitor] visitor
    }.
    .todo = Try again in { $after }.
limit-uploads = Limit reached: { NUMBER($amount, maximumFractionDigits: 1) } MB of uploads an hour for one { $who ->
        [address] network address
       *[visitor] visitor
    }.
    .todo = Try again in { $after }.
budget-spent = Today's shared budget (${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) }) is used up.
    .todo = Paste a key of your own, choose another backend, or come back tomorrow.
queue-full =
    { $waiting ->
        [one] The queue is full ({ $waiting } run).
       *[other] The queue is full ({ $waiting } runs).
    }
    .todo = Try again soon.

## Live drafts

live-not-here = Drafts that follow the dials are made by backends of this app alone, for they cost nothing there.
live-busy = Something else has the backend now.
    .todo = It is tried again in a moment.
live-replaced = A newer draft has taken this one's place.
live-withheld = The draft is withheld by the safety checker.

## What ends a run

run-cancelled = The run was cancelled.
run-wait-ended = You stopped waiting.
    .todo = The run continues at the provider and may be charged; its result will appear here.
run-without-result = The backend ended without a result.
    .todo = Try again.
run-broke = Something went wrong in the app.
    .todo = Try again; the owner finds details in the log.
run-not-written = The run could not be written to disk, so it was not started.
    .todo = Try again.
run-record-damaged = The record of this run is damaged, so it was not continued.
    .todo = Run it again.
run-provider-removed = The provider of this run is no longer offered here.
    .todo = Look for the picture there.
run-backend-removed = The backend of this run is no longer offered.
    .todo = Choose another.
run-expired = This result expired: it was not collected within a week.
    .todo = The provider stores results no longer than that.
run-not-resumable = This provider cannot be asked for a run again.
    .todo = Look for its result there.
run-answer-lost-in-restart = The app was restarted while the request was being sent, and its answer is lost.
    .todo = The run may have happened and been charged. Check your runs at the provider before you run it again.
run-interrupted-before-sending = The app was restarted before the request was sent.
    .todo = Paste your key, and run again.
run-interrupted = The app was restarted before the run had ended.
    .todo = Run it again.
app-stopping = The app is stopping.
    .todo = Try again in a minute.
app-restarting = The app is about to restart.
    .todo = Try again in a minute.
app-no-process = The app has no room to read pictures now.
    .todo = Try again in a minute.

## The disk

disk-full = The disk is full.
    .todo = Free some space on the disk that holds this app's data, and try again.
disk-readonly = The disk cannot be written to.
    .todo = Check the disk that holds this app's data, and try again.
disk-full-not-started = The disk is full. The run was not started.
    .todo = Free some space on the disk that holds this app's data, and try again.
disk-readonly-not-started = The disk cannot be written to. The run was not started.
    .todo = Check the disk that holds this app's data, and try again.
quota-full-not-started = The storage of { NUMBER($quota, maximumFractionDigits: 1) } GB is full, and stars and projects protect all that is in it. The run was not started.
    .todo = Take stars away, take pictures out of projects, or delete some; then run again.
disk-full-result-waits = The picture is ready but the disk is full.
    .todo = Free some space and restart; it will be saved then.
disk-full-run-lost = The disk is full.
    .todo = Free some space, and run again.
disk-full-for-picture = The disk has no room for this picture.
    .todo = Delete pictures, take stars away, or try again later.
disk-full-for-copy = A copy of the picture could not be written.
    .todo = Free some space on the disk.
disk-silent = The disk does not answer.
disk-database-replaced = The database file was removed or replaced while the app runs. Restart the app.

## Providers

# The provider's own words.
provider-says = It says: "{ $words }".
provider-key-missing = { $provider } needs a key.
    .todo = Get one at { $site } and paste it.
    .owner = Or set { $setting } and restart: then it is there for every run.
provider-key-rejected = { $provider } rejected this key.
    .todo = Paste another one.
provider-no-credits = Your { $provider } account is out of credits.
    .details = { $says }
    .todo = Top it up and run again.
provider-free-tier-used = The free tier of { $provider } is used up.
    .todo = Top up the account, or come back when it renews.
provider-forbidden = This key is not allowed to run this model.
    .details = { $says }
    .todo = Check its permissions at { $provider }.
provider-rate-limited = This key has sent too many requests to { $provider }.
    .todo = Try again in { $after }.
provider-rate-limited-unknown = This key has sent too many requests to { $provider }.
    .todo = Try again in a minute.
provider-refused = { $provider } refused the request. { $says }
    .todo = Change the prompt, picture or settings.
provider-down = { $provider } is having problems ({ $status }).
    .details = { $says }
    .todo = Try again in a minute.
provider-cannot-run = { $provider } cannot run the model now.
    .details = { $says }
    .todo = Try again in a minute.
provider-status-unknown = { $provider } answered with status { $status }, which is not documented.
    .todo = Try again later.
provider-unreachable = { $provider } cannot be reached.
    .todo = Check the network, and run again.
provider-moderated = { $provider } blocked this prompt or picture.
    .details = { $says }
    .todo = Change it and run again.
provider-setting-refused = { $provider } refused a setting. { $says }
    .todo = Change the settings, and run again.
provider-reference-unreadable = { $provider } could not read the reference. { $says }
    .todo = Run again: the picture is then uploaded once more.
provider-balance-unknown = { $provider } does not say what is left.
    .todo = The key was accepted.
provider-upload-failed = The picture could not be uploaded to { $provider }.
    .todo = Try again in a minute.
provider-upload-without-address = { $provider } took the picture and gave no address for it.
    .todo = Run again.
provider-gave-up = { $provider } gave up on the picture.
    .todo = Run again, perhaps with fewer steps.
provider-task-gave-up = { $provider } gave up on task { $task }.
    .todo = Run again, perhaps with fewer steps.
provider-task-ended = { $provider } ended task { $task } as { $status }. { $says }
    .todo = Run again, or change the prompt.
provider-task-timeout = { $provider } did not finish task { $task } in { $minutes } minutes.
    .todo = It may still end and be charged: look for it at { $provider }.
provider-task-forgotten = { $provider } no longer knows task { $task }.
    .todo = Look for it at { $provider }.
provider-task-without-picture = { $provider } finished task { $task } without a picture.
    .todo = Look for it at { $provider }.
provider-without-task = { $provider } answered without a task.
    .todo = It may run: check your predictions there.
provider-timeout = { $provider } did not finish in time.
    .todo = Check its logs before you run it again.
provider-without-picture = { $provider } answered without a picture.
    .todo = It may have been charged: check its logs before you run it again.

# Where the answer to a paid request was lost.
provider-answer-lost-predictions = We lost the answer from { $provider }. The run may have happened and been charged.
    .todo = Check your predictions there before you run it again.
provider-answer-lost-logs = We lost the answer from { $provider }. The run may have happened and been charged.
    .todo = Check its logs, request { $request }, before you run it again.

# Results that cannot be used.
result-too-large = The provider's picture is larger than { $limit } MB.
    .todo = Ask for JPEG, or a smaller one.
result-unreadable = The provider's picture cannot be read.
    .todo = It was probably charged: look for it there.
result-not-address = { $provider } gave a result that is not an address.
    .todo = It was probably charged: look for it there.
result-none-readable = { $provider } made pictures, and none of them could be read.
    .todo = It was probably charged: look for them there.
result-file-unusable = { $provider } gave a file that cannot be used. { $why }
    .todo = It was probably charged: look for it there.
result-gone = { $provider } made the picture, but its address cannot be read. { $why }
    .todo = Look for it at { $provider }.

## The local model

-name-settings = Set STUDIO_LOCAL_MODEL and STUDIO_LOCAL_TRANSFORMER to a folder or a hub repository, and restart.
-name-safety = Set STUDIO_SAFETY_MODEL to a folder or hub repository of a transformers image classifier, and restart.
-set-token = Set HF_TOKEN to a token that may read it, and restart.

# $setting is `safety` for the safety checker, `model` for the model.
model-folder-missing = There is no model folder { $name } here.
    .todo = { $setting ->
        [safety] { -name-safety }
       *[model] { -name-settings }
    }
model-transformer-missing = There is no transformer { $name } here.
    .todo = { -name-settings }
model-gguf-incomplete =
    { $missing ->
        [one] The transformer's file lacks { $missing } of its weights, or has another name for it.
       *[other] The transformer's file lacks { $missing } of its weights, or has other names for them.
    }
    .todo = Use a GGUF file of a FLUX.1-dev transformer.
model-weights-incomplete =
    { $missing ->
        [one] The transformer's file lacks { $missing } of its weights, or has another name for it.
       *[other] The transformer's file lacks { $missing } of its weights, or has other names for them.
    }
    .todo = Use a file in the diffusers layout, such as tencent/SRPO's.
model-gated = { $model } on the hub needs a licence to be accepted.
    .todo = Accept it on huggingface.co/{ $base }, make a read token, set it as HF_TOKEN, restart and run again.
model-not-on-hub = The hub has no { $model }, or hides it without a token.
    .todo = { $setting ->
        [safety] { -name-safety }
       *[model] { -name-settings }
    } { -set-token }
model-not-downloaded = { $model } is not on this machine yet, and the hub does not answer.
    .todo = Check the network and run again. { $setting ->
        [safety] { -name-safety }
       *[model] { -name-settings }
    }
model-file-missing = { $setting ->
        [safety] { $model } lacks a file that belongs to an image classifier.
       *[model] { $model } lacks a file that belongs to a FLUX model.
    }
    .todo = { $setting ->
        [safety] { -name-safety }
       *[model] { -name-settings }
    }
model-token-refused = The hub refuses the token for { $model }.
    .todo = { -set-token }
model-hub-broken = The hub does not answer as it should.
    .todo = Try again in a few minutes.
model-too-large = { $model } does not fit into this machine's memory.
    .todo = Set STUDIO_LOCAL_MODEL=mini, choose a hosted backend, or use a larger machine.
model-unreadable = { $setting ->
        [safety] The files of { $model } cannot be read as an image classifier.
       *[model] The files of { $model } cannot be read as a FLUX model.
    }
    .todo = { $setting ->
        [safety] { -name-safety }
       *[model] { -name-settings }
    }
model-licence-unread = This app's owner has to read the model's licence first: FLUX.1-dev's allows non-commercial use and asks for a filter or review of what is made, SRPO's allows academic use only.
    .todo = Then set STUDIO_LICENSE_READ=1 and restart.
model-device-unusable = PyTorch cannot use a { $device } device here.
    .todo = Check the driver, or set STUDIO_LOCAL_DEVICE=cpu.
safety-weights-missing = The safety checker { $model } lacks some of its weights.
    .todo = { -name-safety }
safety-labels-unclear = The safety checker { $model } does not say which images are unsafe: { $labels }.
    .todo = { -name-safety }
model-no-picture = The model failed to make a picture.
    .todo = Try a lower guidance or another seed.
gpu-memory-too-small = The GPU's memory is too small for this run.
    .todo = Use a smaller image, or a hosted backend.
zero-gpu-no-result = The GPU's process ended without a result.
    .todo = Try again.
zero-gpu-cut-short = The run was cut short on the GPU ({ $words }).
    .todo = Try fewer steps or images.
zero-gpu-broke = The run broke on the GPU.
    .todo = Try again.
# $title and $words are ZeroGPU's own.
zero-gpu-refused = { $title }: { $words }
    .todo = { zero-gpu-else }
zero-gpu-refused-with-words = ZeroGPU gave no GPU: { $words }
    .todo = { zero-gpu-else }
zero-gpu-refused-silently = ZeroGPU gave no GPU.
    .todo = { zero-gpu-else }
zero-gpu-else = Sign in at Hugging Face for more GPU time, wait, or choose a hosted backend.

## Notices: what was done that a person may not expect

adapted-dropped = { $backend } does not take { $param }: there it is left out.
adapted-clamped = { $backend } does not take { $param } { $value }: there it is { $to }.
notice-file-ends-early = The file ends early; what is missing at its end is grey.
notice-scaled-down = The picture was scaled down from { NUMBER($width, useGrouping: 0) }x{ NUMBER($height, useGrouping: 0) } to { NUMBER($new_width, useGrouping: 0) }x{ NUMBER($new_height, useGrouping: 0) }.
notice-hdr = The picture is HDR ({ $kind }); its highlights were compressed.
notice-first-page =
    { $more ->
        [true] Of the document's more than { NUMBER($count, useGrouping: 0) } pages, the first was used.
       *[false] Of the document's { $count } pages, the first was used.
    }
notice-main-picture = Of the file's { $count } pictures, the main one was used.
notice-first-picture = Of the file's { $count } pictures, the first was used.
notice-first-frame = Of the animation's { $count } frames, the first was used.
notice-gain-map = The photo's HDR part was left out; it looks as on ordinary screens.
notice-video-left-out = The photo was used; the video behind it was left out.
notice-oldest-removed =
    { $count ->
        [one] To make room on the disk, the oldest run was removed.
       *[other] To make room on the disk, the { $count } oldest runs were removed.
    }
# $count is how many images there are, $place which one it is.
notice-file-damaged =
    { $count ->
        [1] The file of the image from { $provider } is damaged; it is stored as it came.
       *[other] The file of image { $place } from { $provider } is damaged; it is stored as it came.
    }
notice-file-not-shown =
    { $count ->
        [1] The file of the image from { $provider } is of the kind { $kind }, which is stored and cannot be shown here.
       *[other] The file of image { $place } from { $provider } is of the kind { $kind }, which is stored and cannot be shown here.
    }
notice-stepped-down = The GPU's memory was too small; from here on: { $plan ->
        [fp8] 8-bit weights
        [text] 8-bit weights, text encoders wait in main memory
        [tiles] 8-bit weights, text encoders wait in main memory, pictures in tiles
        [offload] 8-bit weights, parts take turns on the card
        [stream] blocks stream through the card
       *[gpu] all in full
    }.
notice-prompt-cut = This model reads the first { $tokens } tokens of a prompt; the rest was left out.
notice-worked-at = Made at { NUMBER($width, useGrouping: 0) }×{ NUMBER($height, useGrouping: 0) }, enlarged to the reference's size.
notice-strength-zero = At strength 0 the reference is returned unchanged.
notice-sent-inline = { $provider } prefers image links; an uploaded file may be refused one day.
notice-field-ignored = Ignored, for this model has no such field: { $names }.
notice-images-ignored = images was ignored: this model takes one image.
notice-first-image = Of the { $count } images, the first was used.
notice-seed-too-large = The seed is larger than { $limit }; the one in `seed` was used.
notice-size-ignored = size { $size } was not used: a result has the size of its reference, { NUMBER($width, useGrouping: 0) }x{ NUMBER($height, useGrouping: 0) }.
withheld-by-provider = { $provider } withheld this image as not safe for work.
withheld-by-safety-checker = The safety checker withheld this image.

## Stages of loading

stage-torch = starting PyTorch
stage-files = finding the files
stage-transformer = transformer
stage-text-encoders = text encoders
stage-vae = image encoder and decoder
stage-placing = moving to the device
stage-safety-checker = safety checker
stage-waiting-for-gpu = waiting for a GPU
stage-eight-bits = 8-bit matrices
stage-compiling = compiling for this card, once
stage-compiling-batch = compiling for this card, once for several images
stage-detail = { $stage }, { $detail }
stage-first-download = a large download at the first time
stage-downloaded = { NUMBER($done, minimumFractionDigits: 1, maximumFractionDigits: 1) } of { NUMBER($total, minimumFractionDigits: 1, maximumFractionDigits: 1) } GB
stage-converted = converted to bfloat16: { $done } of { $total }
stage-after-another = after another load

## The status line of a backend

status-ready = Ready
status-loading = Loading
status-not-loaded = Not loaded
status-loads-at-first-run = loads on the first run
status-hosted = hosted by { $provider }
status-devices =
    { $device ->
        [cpu] { $count ->
            [one] CPU
           *[other] CPUs: { $count }
        }
        [mps] { $count ->
            [one] Apple GPU
           *[other] Apple GPUs: { $count }
        }
       *[cuda] { $count ->
            [one] GPU
           *[other] GPUs: { $count }
        }
    }
detail-gguf = GGUF weights
detail-eight-bit-weights = 8-bit weights
detail-eight-bit-multiplication = 8-bit multiplication
detail-flash-attention = FlashAttention 3
detail-cudnn-attention = cuDNN attention
detail-compiled = compiled
detail-placement =
    { $plan ->
        [text] text encoders wait in main memory
        [tiles] text encoders wait in main memory, pictures in tiles
        [offload] parts take turns on the card
       *[stream] blocks stream through the card
    }

## Backends and parameters

backend-local = Local · { $model }
backend-hosted = { $provider }
notice-mini = Mini is a small demo model with { $styles } styles, running on this { $device ->
        [cpu] CPU
        [mps] Apple GPU
       *[cuda] GPU
    }. For full quality, choose a hosted backend or use a GPU.
notice-slow-on-cpu = On a CPU, a picture of this model takes many minutes.
licence-mini = Its weights were made by this project, under Apache-2.0; its pictures may be used freely.
licence-unknown = It is not known here how its pictures may be used.
licence-provider = The terms of { $provider } say how its pictures may be used.
notice-licence = FLUX.1-dev is for non-commercial use, SRPO for academic use only.
notice-every-image-checked = A safety checker looks at every image.
notice-zero-gpu = Each run counts on your own GPU time at Hugging Face; signing in there gives more of it a day.

param-strength = Strength
param-num-inference-steps = Steps
param-guidance-scale = Guidance
param-seed = Seed
param-num-images = Images
param-output-format = Format
param-acceleration = Acceleration
param-enable-safety-checker = Safety checker
help-strength = How far the result may depart from the reference.
help-steps = More steps: slower, more detail.
help-guidance = How closely the prompt is followed.
help-acceleration = Faster, slightly rougher. Regular computes half the steps, High a third.
help-safety-checker = Hides unsafe images. Turns previews off.
strength-low = keep
strength-high = transform

## Unmapped settings

foreign-cfg = CFG scale is not FLUX's guidance.
    .todo = Set the guidance yourself.
foreign-seed = Seeds go from 0 to { $maximum } here.
foreign-range = It must be from { $minimum } to { $maximum } here.
foreign-whole-range = It must be a whole number from { $minimum } to { $maximum } here.
foreign-not-a-number = This is not a number.
foreign-sampler = Samplers and their schedules cannot be chosen here.
foreign-lora = LoRAs are not supported here.
foreign-negative = FLUX SRPO has no negative prompt.
foreign-model = The model is chosen here, not by the file.
foreign-size = The size comes from the reference.
foreign-second-pass = It belongs to a second pass, which is not made here.
foreign-prompt-part = It is a separate part of the prompt.
    .todo = Add it to the prompt where you need it.
foreign-computed = The workflow computes it while it runs.
foreign-other = There is no such setting here.

## The page

ui-title = SRPO Studio
ui-backend = Backend
ui-reference = Reference
ui-reference-placeholder = Drop or paste a picture, or click
ui-reference-url = Image link
ui-reference-url-placeholder = or paste an image link
ui-prompt = Prompt
ui-prompt-placeholder = What should the picture become?
ui-seed-lock = Keep this seed
ui-seed-dice = New seed
ui-seed-random = Random
ui-more = More: steps, format, acceleration
ui-run = Run
ui-cancel = Cancel
ui-result = Result
ui-stage = Reference and result
ui-view = View
ui-help = Help
ui-studio-tab = Make
ui-library-tab = Library
ui-explore-tab = Explore
ui-compare-tab = Compare
ui-api = API
ui-copy = Copy
ui-copied = Copied
ui-close = Close
ui-details = Details
ui-theme-dark = Switch to dark
ui-theme-light = Switch to light
ui-sign-in = Sign in
# Gradio puts the account's name in place of the braces.
ui-sign-out = Sign out ({ $name })
ui-no-reference = Add a picture to see steps, time and price.
ui-no-work = At strength 0 nothing changes. Raise it to run.
ui-help-strength = <b>Strength</b> says how far the result may depart from the reference. Low keeps it, high transforms it; at 0 nothing changes.
ui-help-guidance = <b>Guidance</b> says how closely the prompt is followed.
ui-help-seed = Lock the <b>seed</b> to see what one change does: the same seed and settings give the same picture.
ui-help-run = <b>Ctrl+Enter</b> runs. Each click on Run queues one more run.
ui-single-keys = Single letters and digits are shortcuts
ui-help-keys = In the slider, the arrow keys move the line. In the full view, they move between pictures.
ui-api-use = Code that talks to AI/ML API or to WaveSpeedAI runs on this app when its base URL, key and image are changed. The examples below contain this app's address, and read <code>photo.jpg</code> beside them.
ui-api-keys = Keys come from <code>python app.py keys new NAME</code> on the machine that serves this app. Every field is described in <a href="docs" target="_blank">the reference</a>.

ui-key = Provider key
ui-key-placeholder = Paste your key: it stays in this tab only
ui-key-set = A key is set for this tab. Paste another to change it.
ui-key-check = Check
ui-owners-key-works = This app's own key works.
ui-owners-key-fails = This app's own key does not work now. Paste a key of your own, or try again later.
key-accepted = Key accepted, ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) } left.

page-loading = Loading
page-not-fetched = The connection was lost. Choose the tab again.
reading-picture = Reading the picture
run-when-read = Reading the picture, then running
session-budget-reached = This run would exceed your budget of ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) } for this tab.
    .todo = Raise it to run.
day-budget-reached = This run would exceed your budget of ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) } for a day.
    .todo = Raise it to run.
title-step = ({ $step }/{ $total }) { ui-title }
title-percent = ({ $percent } %) { ui-title }
title-running = (…) { ui-title }
event-lost = The connection was lost. Check whether this has happened before you try again.
nothing-served = There is no such file in this version of the app.
connection-lost = Connection lost. Your work is saved; reconnecting.
server-answered = The server answered with status { $status }.
    .todo = Try again.

## The stage

stage-result-here = The result appears here
stage-preview = Preview of the result while it is made
stage-compare = Compare: how much of the reference is shown
stage-welcome = Start with a picture
stage-styles = Styles on one picture
stage-styles-hint = One picture in every style that mini knows. Choose one for yours.
stage-welcome-hint = Add your own, or take one of these with its prompt and settings.
stage-use-as-reference = Use as reference
stage-restore-settings = Restore settings
stage-download = Download
stage-download-as = Download, with or without its settings
download-embed = With its settings
download-mark = Only marked as made by AI
download-none = The backend's own file
download-json = Only its settings, as JSON
stage-full-view = Full view
stage-previous = Previous picture
stage-next = Next picture
stage-recent = Recent
stage-progress = Progress of the run
stage-elapsed = { $elapsed } s
stage-elapsed-of = { $elapsed } s of about { $expected } s
stage-elapsed-late = { $elapsed } s, longer than usual
view-slider = Slider
view-single = Single
example-mountain-lake = Mountain lake
example-still-life = Still life
example-street = Street with a house

missing-withheld = Withheld
missing-failed = Not made
figure-steps = { $run } of { $total } steps
figure-seed = seed { $seed }
figure-size = { NUMBER($width, useGrouping: 0) }×{ NUMBER($height, useGrouping: 0) }
figure-worked-at = { $size } (made at { $working })
budget-limit = Budget $
budget-none = none
spent-budget = ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) } this session
spent-daybudget = ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) } today
figure-spent-at = { $backend } ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) }
limit-budget = Budget of this session, in dollars
limit-daybudget = Budget of a day, in dollars
wait-tenths = { NUMBER($amount, minimumFractionDigits: 1, maximumFractionDigits: 1) } s
price-free = free
price-live = ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) }
price-documented = about ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 4) }
cost-unknown = cost unknown
param-adjusted = { $label } { $before } → { $after }
reference-alt = Reference picture, { NUMBER($width, useGrouping: 0) }×{ NUMBER($height, useGrouping: 0) }
charge-taken = It was charged.
charge-none = Nothing was charged.
charge-unknown = It may have been charged.
queue-next = Next in line
queue-position = Number { $number } in line
progress-loading = Loading the model: { $stage } ({ $done } of { $total })
progress-step = Step { $step } of { $total }
progress-step-left = Step { $step } of { $total }, about { $left } left
progress-sending = Sending
progress-stopping = Stopping
progress-needs-key = The provider has this run, and needs your key to continue.
progress-finishing = Finishing the picture
working-sent = Sent to { $backend }
working-created = Waiting at { $backend }
working-processing = Working at { $backend }
working-somewhere = the provider
working-disk-full = Done, and waiting for room on the disk
working-several = { $status }, { $done } of { $total } done
spoken-queued = Waiting in the queue
spoken-loading = Loading the model
spoken-running = The run has begun
spoken-quarter = A quarter is done
spoken-half = Half is done
spoken-three-quarters = Three quarters are done
spoken-finishing = Finishing
spoken-done = The result is here

## Refused requests

app-broke = Something went wrong in the app. The owner finds details in the log.
app-local-only = This app is bound to this machine alone. To open it to others, set STUDIO_PUBLIC_URL.
app-foreign-page = Other sites' pages may not use this app.
address-too-long = This address is too long: the limit is { $limit } KB.
cookies-needed = Cookies are needed to see your own pictures. Allow them for this site, and load the page again.
picture-unknown = There is no such picture.
result-unknown = There is no such result. It may have been deleted.
project-unknown = There is no such project. It may have been deleted.
project-name-taken = There is a project of this name already.
    .todo = Choose another name.
projects-too-many = There are { $limit } projects already.
    .todo = Delete one that is not needed.
tags-too-many = A picture can have at most { $limit } tags.
    .todo = Remove some.
library-share-full = Your stars and projects protect as much as they can: { NUMBER($share, maximumFractionDigits: 0) } MB of pictures and references.
    .todo = Take stars away, take pictures out of projects, or delete some; then try again.
job-unknown = There is no such run. It may have been deleted.
provider-unknown = There is no such provider here.
row-damaged = What is known of this result is damaged.
code-notes = Makes the picture again and writes it to { $result }. Run it in the folder that holds the reference, { $reference }. The API key, if one is needed, is read from the environment variable { $key }.
code-without-backend = There is no code for this picture: the backend { $backend } is not here any more.
code-without-model = There is no code for this picture: the API has no model that runs on { $backend }.
    .todo = Name one in STUDIO_API_MODELS.
code-seed-zero = There is no code for this picture: the API takes no seed 0.
    .todo = Make it with another seed.
link-expired = This link has expired.
request-too-large-mb = This request's body is too large: the limit here is { $limit } MB.
request-too-large-kb = This request's body is too large: the limit here is { $limit } KB.
request-too-many-values = This request's JSON has too many values: the limit is { NUMBER($limit, useGrouping: 0) }.
request-too-deep = The request has more than { $limit } levels of lists and objects.
    .todo = Send fewer.
too-many-large-requests = Too many large requests are being answered.
    .todo = Try again when some are done.
too-many-files = At most { $limit } files are read in a request.
    .todo = Send fewer.
still-reading = Your last pictures are still being read.
    .todo = Try again in a moment.
too-many-waiting = Too many runs are waiting.
    .todo = Try again when some are done.
disk-full-for-file = The disk has no room for this file.
    .todo = Try again later, or ask the app's owner to make room.
event-unknown = There is no such event.
    .todo = Load the page again, or see its API page.
event-not-yours = There is no such event, or it belongs to another visitor.
    .todo = Send the request again.
event-inputs-missing = The event takes { $needed } values, and { $given } came.
    .todo = Send all of them.
session-not-yours = This page's session belongs to another visitor.
    .todo = Load the page again.
nothing-here = There is nothing here, or it belongs to another visitor.
upload-not-yours = This upload belongs to another visitor, or is no longer stored.
    .todo = Choose the picture again.
upload-not-stored = The file could not be stored.
    .todo = Choose the picture again.
upload-cut = The upload was cut off.
file-too-large = The limit is { $limit } MB.
    .todo = Choose a smaller file.
form-expected = This is not a form.
    .todo = Send the picture as multipart/form-data, in the field `files`.
form-one-file = A request takes one picture, as the form field `files`.
    .todo = Send one file at a time.
form-unreadable = This form cannot be read.
    .todo = Send the picture again.
edit-inputs-missing = Send a list of { $needed } inputs ({ $inputs }); { $given } came.
edit-file-path = A file's path is that of an upload or an http address. Send a data URI or base64 as text.
fault-whole-number = should be a whole number
fault-number = should be a number
fault-not-json = body: not valid JSON.
fault-not-a-form = This is not a form with a file.
fault-reference = Name one of a link, a result and a digest.
fault-cursor = is not a cursor of this list
fault-note-of-one = can be written for one result at a time
fault-content-type = body: This was not sent as JSON. Send it with the header Content-Type: application/json.
route-unknown = There is no model or route { $name } here. The models are { $models }.
task-continues = The task is still running; ask for its result later.
api-docs-intro = Both providers' wire formats, served by this app.
api-docs-unknown = Not found
mcp-address = This is the address of SRPO Studio for MCP clients (streamable HTTP). Add it to one.
mcp-queued = queued, { $position } in line
mcp-loading = loading: { $stage }
mcp-step = step { $step } of { $total }
archive-unreadable = This is not an archive of this app, or it is damaged.
    .todo = Choose the .zip file that a project was exported as.
archive-newer = A newer version of the app wrote this archive.
    .todo = Update the app, then import it.
archive-too-large = The archive holds more than { $limit } MB.
    .todo = Export a smaller project.

## The terminal

app-runs = SRPO Studio runs on { $url } (Ctrl+C ends it)
key-unknown = There is no valid key { $key }.
keys-unusable = The file of keys, keys.db in the data folder, cannot be used ({ $reason }). Check the folder, or set STUDIO_DATA_DIR.
metrics-token-needed = A token is needed.
setting-path = GRADIO_ROOT_PATH is { $value }.
    .todo = Set a path such as /studio; a full address belongs into STUDIO_PUBLIC_URL.
setting-paths-differ = GRADIO_ROOT_PATH is { $path }, and STUDIO_PUBLIC_URL ends in { $public }.
    .todo = Set one of them.
setting-models = { $name } holds { $value }.
    .todo = Set model=backend, with a comma between two of them.
setting-choice = { $name } is { $value }.
    .todo = Set one of { $choices }.
setting-dollars = { $name } is { $value }.
    .todo = Set US dollars a day, such as 2.50; 0 pays for nothing.
setting-home = { $name } is { $value }, and that user has no home here.
    .todo = Set a folder's path.
setting-address = { $name } is { $value }.
    .todo = Set an address that begins with https:// or http://.
setting-whole-number = { $name } is { $value }.
    .todo = Set a whole number from { $minimum } to { $maximum }.
setting-switch = { $name } is { $value }.
    .todo = Set 1 or 0.
setting-proxy = The proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: { $reason }
    .todo = Correct or unset the variable.
setting-host-unknown = GRADIO_SERVER_NAME is { $host }, and no such name is known.
    .todo = Set an address.
setting-api-models = STUDIO_API_MODELS runs { $model } on { $backend }.
    .todo = Set one of { $backends }.
port-taken = Port { $port } of { $host } is taken by another program.
    .todo = End that, or set GRADIO_SERVER_PORT to a free one.
port-forbidden = Port { $port } needs more rights than this user has.
    .todo = Set GRADIO_SERVER_PORT to 1024 or more.
host-not-here = { $host } cannot be bound ({ $reason }).
    .todo = Set GRADIO_SERVER_NAME to an address of this machine.
secret-unusable = { $path } cannot be used: { $reason }.
    .todo = Let this user write there, or set STUDIO_DATA_DIR.
secret-damaged = { $path } has { $size } bytes and should have { $wanted }.
    .todo = Restore it from a backup, or delete it: a new one is made then, and all links and cookies that were given out expire.
folder-in-use = Another process uses { $folder }.
    .todo = End it, or set STUDIO_DATA_DIR.
folder-is-file = STUDIO_DATA_DIR is { $folder }, and a file is in the way.
    .todo = Set the path of a folder.
folder-cannot-be-made = The data folder { $folder } cannot be made ({ $reason }).
    .todo = Set STUDIO_DATA_DIR to one that can.
folder-readonly = The data folder { $folder } cannot be written.
    .todo = Change its permissions, or set STUDIO_DATA_DIR.
folder-full = The disk of the data folder { $folder } is full.
    .todo = Free some space there, or set STUDIO_DATA_DIR.
folder-disk-errors = The disk of the data folder { $folder } gives errors ({ $reason }).
    .todo = Check it, or set STUDIO_DATA_DIR.
folder-damaged = The database { $database } is damaged.
    .todo = Restore it from a backup together with its -wal file, or move both away and start empty.
folder-of-newer-version = A newer version of the app wrote this folder.
    .todo = Update, or set STUDIO_DATA_DIR.
export-done = { $folder } has { NUMBER($results) } results now, in { NUMBER($archives) } archives.
import-nothing = There are no archives in { $folder }.
    .todo = Give the folder that `python app.py export` wrote.
import-done = { NUMBER($results) } results of { NUMBER($archives) } archives are new.
backup-nothing = There is nothing to back up in { $folder }.
    .todo = Set STUDIO_DATA_DIR to the folder of the app's data.
backup-done =
    { $pictures ->
        [one] { $folder } has everything now, with { $pictures } picture
       *[other] { $folder } has everything now, with { $pictures } pictures
    } ({ $copied } new). To restore it, start the app with STUDIO_DATA_DIR={ $folder }.
key-issued = This is key { $key }. It is shown only this once: store it where you store your secrets.

## Dropped files

dropped-title = { $name } holds its settings
dropped-source = Written by { $source }.
dropped-reference = Use the picture
dropped-reference-hint = as the reference
dropped-settings = Restore its settings
dropped-settings-hint = prompt, seed and all that fits
dropped-taken = Its settings are restored
dropped-alone = This was one of { $count } pictures made together. Made alone, it may differ by 1 of 255 in places.
dropped-batch = Make all { $count } again
dropped-left-out = Not taken over:
dropped-no-reference = The reference of this picture is not stored here.
    .todo = Add it to make the same picture again.
source-srpo-studio = { ui-title }
source-a1111 = AUTOMATIC1111 or Forge
source-invokeai = InvokeAI
source-comfyui = ComfyUI
source-fooocus = Fooocus
source-swarmui = SwarmUI
source-novelai = NovelAI

## The page of the modules

reference-in-box = Reference: { $name }
reference-choose = Choose a picture as the reference
reference-reading = Reading the picture
reference-link-or-camera = Link or camera
reference-remove = Remove
reference-use-link = Use
reference-camera = Camera
reference-result-name = result of { $prompt }
reference-stays = The earlier reference stays.
reference-drop = Drop to use as the reference
camera-starting = Starting the camera
camera-refused = The camera cannot be used. Allow it for this site, or choose a file.
camera-take = Take the picture
styles-medium = Style
styles-mood = Light and mood
style-composed = with { $styles }
run-removes = Storage is full: this run removes { $count ->
    [one] the oldest picture
   *[other] about { $count } of the oldest
}, from { $day }.
run-repeated = These settings and this seed made a picture already.
run-repeated-fresh = Use a new seed
run-repeated-again = Run again
status-about = About { $backend }, and its key
app-updated = A new version is running.
app-updated-reload = Reload
settings-button = Settings
stage-live = Live
stage-live-hint = A small draft follows the dials. Nothing of it is kept.
stage-draft = Draft
live-slow = Drafts take too long here to follow the dials, so live is off.
stage-not-returned = Not returned.
view-pair = Pair
stage-recall = Recall
recall-prompt = Prompt
recall-settings = Settings
recall-seed = Seed
recall-reference = Reference
strip-more = { $total } in all, show more
strip-name = { $prompt }, { $style }strength { $strength }, seed { $seed }
strip-cancel-all = Cancel all
strip-failed = failed
strip-cancelled = cancelled
strip-ended = { $prompt }: { $what }
figure-about = about { $time }
figure-strength = strength { $value }
figure-guidance = guidance { $value }
result-returned-size = The provider returned { $size }.
cell-place = { $number } of { $count }
cell-alt = Result { $number } of { $count }: { $prompt }, { $style }strength { $strength }, seed { $seed }

## The library

library-export = Export the project
library-archive = { $title } { $day }
library-archive-part = { $title } { $day }, part { $number } of { $of }
library-import = Import a project
library-importing = Taking in { $name }
library-imported = { $project }: { $count ->
    [one] 1 picture is new
   *[other] { $count } pictures are new
}{ $known ->
    [0] .
   *[other] , { $known } were here already.
}
library-room = Your pictures take { NUMBER($size, maximumFractionDigits: 1) } GB. Stars and projects protect up to { NUMBER($share, maximumFractionDigits: 1) } GB; where storage runs out, the oldest other runs are removed first.
library-room-low = Storage ({ NUMBER($quota, maximumFractionDigits: 1) } GB) is { $percent } % full. To make room for new pictures, the oldest without a star or project are removed, beginning with { $day }: { $count ->
    [one] one picture
   *[other] { $count } pictures
} can go.
    .todo = Star what you want to keep or put it into a project, or delete what you do not need.
library-room-show = Show the oldest
library-search = Search prompts, styles, tags, notes
library-starred-only = Only starred
library-starred = Starred
library-filter = Filter
library-sort = Order
library-sort-newest = Newest first
library-sort-oldest = Oldest first
library-sort-cost = Dearest first
library-sort-structure = Most structure kept
library-sort-colour-shift = Largest colour shift
library-sort-sharpness = Sharpest first
library-density = Size of the pictures
library-found = { $count ->
    [one] 1 picture found
   *[other] { $count } pictures found
}
library-count = { $count ->
    [one] 1 picture
   *[other] { $count } pictures
}
library-drop = Remove the filter { $filter }
library-clear = Clear
library-any = Any
library-option = { $label } ({ $count })
library-model = Model
library-project = Project
library-tag = Tag
library-tagged = Tag: { $tag }
library-of-experiment = One experiment
library-size = Size
library-cost = Cost
library-since = From
library-until = To
library-size-to = up to { $to } MP
library-size-from = over { $from } MP
library-size-between = { $from } to { $to } MP
library-cost-to = up to ${ NUMBER($to, minimumFractionDigits: 2) }
library-cost-from = over ${ NUMBER($from, minimumFractionDigits: 2) }
library-cost-between = ${ NUMBER($from, minimumFractionDigits: 2) } to ${ NUMBER($to, minimumFractionDigits: 2) }
library-date-from = from { $from }
library-date-to = to { $to }
library-date-between = { $from } to { $to }
library-failed = Failed
library-failed-only = Only failed
library-grid = Pictures
library-waiting = Loading
library-today = Today
library-yesterday = Yesterday
library-day = { $day } · { $count }
library-day-cost = { $day } · { $count } · ${ NUMBER($dollars, minimumFractionDigits: 2, maximumFractionDigits: 2) }
library-name-starred = { $name }, starred
library-new = { $count } new
library-empty = No pictures yet
library-empty-hint = Everything you make is stored here.
library-make = Make one
library-nothing-found = Nothing found
library-nothing-hint = No picture matches this search and these filters.
library-selection = Selected pictures
library-selected = { $count } selected
library-busy = { $done } of { $total }
library-star = Star
library-evolve = Evolve
library-batch = Batch
library-deselect = Clear the selection
library-delete = Delete
library-delete-question = { $count ->
    [one] Delete this picture?
   *[other] Delete { $count } pictures?
}
library-keep = Keep
library-deleted = { $count } deleted.
library-restored = { $count } restored.
library-undo = Undo
library-add-tag = Add a tag
library-add = Add
library-untag = Remove the tag { $tag }
library-no-project = No project
library-new-project = New project
library-create = Create
library-details = Details of the picture
library-picture = Picture
library-place = { $number } of { $count }
library-apply-recipe = Apply recipe
library-apply-all = With its reference
library-apply-prompt = Only prompt
library-apply-settings = Only settings
library-apply-seed = Only seed
library-applied = Applied to the form.
library-figures = Settings and figures
library-organise = Note, tags and project
library-note = Note
library-saved = Saved
library-tags = Tags
library-lineage = Where it comes from
library-photo = First photo, { $size }
library-this = This picture
library-children = { $count ->
    [one] 1 picture made from it
   *[other] { $count } pictures made from it
}
library-code-reference = Download its reference
library-code = Code for this run
library-code-curl = curl
library-code-python = Python
library-code-javascript = JavaScript
library-time = Time
library-date = Date
library-source = Made by
library-on = on
library-off = off
source-page = This page
source-edit = The endpoint /edit
source-mcp = MCP
source-aimlapi = AI/ML API format
source-wavespeed = WaveSpeedAI format
source-import = Import
meters-title = Compared with the reference
meters-structure = Structure kept { $percent } %
meters-colour-shift = Colour shift { NUMBER($value, maximumFractionDigits: 1) } (1 is just visible)
meters-sharpness = Sharpness { NUMBER($value, maximumFractionDigits: 2) } of the reference
meters-palette = Colours
meters-copy = Copy { $hex }, { $percent } % of the picture
meters-copy-words = Copy as prompt words
meters-copied = Copied: { $what }
drift-vivid = Since the first picture, the colours have become stronger: chroma { NUMBER($before, maximumFractionDigits: 0) } → { NUMBER($after, maximumFractionDigits: 0) }.
drift-pale = Since the first picture, the colours have become weaker: chroma { NUMBER($before, maximumFractionDigits: 0) } → { NUMBER($after, maximumFractionDigits: 0) }.
drift-harsh = Since the first picture, the contrast has risen: { NUMBER($before, maximumFractionDigits: 0) } → { NUMBER($after, maximumFractionDigits: 0) } of 50.
drift-flat = Since the first picture, the contrast has fallen: { NUMBER($before, maximumFractionDigits: 0) } → { NUMBER($after, maximumFractionDigits: 0) } of 50.
drift-colour = The mean colour is not that of the first picture: they differ by { NUMBER($difference, maximumFractionDigits: 0) }, and 1 is just visible.

## Explore

explore-try = Try:
explore-preset-styles = All styles
explore-preset-ladder = Strength ladder
explore-preset-seeds = Seeds ×9
explore-preset-backends = Backends
explore-preset-begins = { $plan }: start { $count ->
    [one] 1 run
   *[other] { $count } runs
} now
explore-preset-fills = { $plan }: set up { $count ->
    [one] 1 run
   *[other] { $count } runs
}, then press Run
explore-custom = Custom
explore-across = Across
explore-down = Down
explore-pages = Pages
explore-reference = Reference
explore-values = Values of { $axis }
explore-numbers-hint = 0.3, 0.5, 0.7 or 0.3..0.9 in 5
explore-prompts-hint = One prompt a line, or: red -> green, blue
explore-remove-axis = Remove { $axis }
explore-add-axis = Add an axis
explore-add-pictures = Add pictures
explore-pick-all = All
explore-pick-none = None
explore-no-style = no style
explore-begin = Choose a plan, or the axes of your own.
explore-pick = Pick at least one.
explore-numbers = These are no numbers.
    .todo = Write them as 0.3, 0.5, 0.7 or as 0.3..0.9 in 5.
explore-prompts = There is no prompt.
    .todo = Write one in each line.
explore-incomplete = One of the axes is incomplete.
explore-no-reference = There is no picture to begin with.
    .todo = Choose one on the left.
explore-no-prompt = There is no prompt.
    .todo = Write one on the left.
explore-not-read = { $name }: { $why }
explore-planning = Planning…
explore-runs = { $count ->
    [one] 1 run
   *[other] { $count } runs
}
explore-about = about { $time }
explore-draft = Draft, { $steps } steps
explore-shrink = Make the first { $count } fit
explore-run = { $count ->
    [0] Run
    [one] Run 1
   *[other] Run { $count }
}
explore-asks = These are { $count } runs. Press Run again to begin.
explore-asks-paid = These are { $count } runs for { $price }. Press Run again to begin.
explore-again = This plan has begun already. Press Run again to begin it once more.
explore-recent = Shown
explore-none-shown = Nothing
explore-named = { $axes }, { $count ->
    [one] 1 run
   *[other] { $count } runs
}, { $date }
explore-grid = { $across } across, { $down } down
explore-apply = Use { $axis } { $value } in the form
explore-applied = { $axis } { $value } is in the form now.
explore-hide = Hide { $axis } { $value }
explore-show-hidden = { $count ->
    [one] Show 1 hidden
   *[other] Show { $count } hidden
}
explore-starred = starred
explore-steps = step { $step } of { $total }
explore-gone = The picture was deleted or withheld.
explore-state-waiting = waiting
explore-state-queued = next
explore-state-submitting = sending
explore-state-running = running
explore-state-detached = running at the provider
explore-state-needs-key = waiting for a key
explore-state-failed = failed
explore-state-cancelled = cancelled
explore-state-unknown = outcome unknown
explore-state-interrupted = interrupted
explore-state-skipped = not made
explore-state-deleted = deleted
explore-retry-one = Make { $cell } again
explore-made = { $done } of { $count }
explore-paused = paused
explore-needs-key = waiting for your key
explore-view = View
explore-as-grid = Grid
explore-as-ladder = Ladder
explore-order = Sort by
explore-order-own = own order
explore-order-structure = structure kept
explore-order-colour-shift = colour shift
explore-order-sharpness = sharpness
explore-pause = Pause
explore-resume = Go on
explore-cancel = Stop
explore-billed = What the provider has taken already goes on there, and is billed.
explore-retry = { $count ->
    [one] Make the missing one
   *[other] Make the missing { $count }
}
explore-add = Add
explore-add-values = More of { $axis }
explore-export = Export
explore-export-png = Contact sheet, PNG
explore-export-pdf = Contact sheet, PDF
explore-export-archive = Originals, zip
explore-export-table = Table, CSV
explore-use = Use as reference
explore-recall = Use these settings
explore-full = Make at full steps
explore-in-library = Show in the library
explore-neighbour = Neighbour
explore-favourite = favourite { $letter }
explore-pick-favourite = Favourite
explore-evolve = Evolve { $letters }: { $count } runs
explore-keep = keep
explore-transform = transform
explore-play = Play
explore-stop-playing = Stop playing
explore-edge = Find the edge: { $value }
explore-no-edge = No value between

evolve-favourites = This needs 1 to { $limit } favourites.
    .todo = Choose that many.
# $position is a favourite's place in the selection, from 0.
evolve-parent = { $position ->
    [0] A
    [1] B
    [2] C
   *[3] D
}
evolve-base = From { $parent }
evolve-taken = { $label } as { $parent }
evolve-taken-nudged = { $label } as { $parent }, { $before } → { $after }
evolve-prompt = Prompt of { $parent }
evolve-style = Style of { $parent }
evolve-styles = Styles of { $one } and { $other }
evolve-seed = Seed of { $parent }
evolve-new-seed = New seed

## Compare

compare-settings = Settings that differ
compare-grid = Grid
compare-slide = Slider
compare-blink = Blink
compare-difference = Difference
compare-pair = The two pictures
compare-first = First picture
compare-second = Second picture
compare-zoom = Zoom
compare-zoom-in = Zoom in
compare-zoom-out = Zoom out
compare-percent = { $percent } %
compare-fit = Fit
compare-actual = 1:1
compare-actual-hint = One pixel of the file is one of the screen. Key 1 while a picture has the focus.
compare-loupe = Loupe
compare-add = Add
compare-no-more = There are no other pictures.
compare-again = Try again
# $letter is a picture's name in the comparison, such as A; $label is its style and strength.
compare-title = { $letter } · { $label }
compare-place = Move { $letter }
compare-place-hint = Drag { $letter } to another place, or press Shift and an arrow key. Alt and a digit swap two pictures.
compare-keep = Keep { $letter }
compare-remove = Remove { $letter } from the comparison
compare-removed = { $letter } was removed.
compare-moved = { $name } is now { $letter }.
compare-lost = This picture cannot be loaded.
compare-both = { $one } on the left, { $other } on the right
compare-difference-of = Difference between { $one } and { $other }
compare-split = Line between { $one } and { $other }
compare-computing = Comparing pixels
compare-previous = Previous pair
compare-next = Next pair
compare-show = Show { $letter }
compare-space = Space
compare-scale = End of the scale, of 255
compare-scale-fitting = { $end }, fitted
compare-scale-to = { $end }
compare-identical = Pixel for pixel the same.
compare-difference-figures = { NUMBER($share, maximumFractionDigits: 1) } % of the pixels differ. Mean { NUMBER($mean, maximumFractionDigits: 1) }, highest { $most } of 255.
compare-scaled = { $letter } is scaled to the size of { $other }, { $size }.
compare-few = Compare { $least } to { $most } pictures
compare-one = One picture so far
compare-few-hint = Select pictures in the library and press Compare, or press C at a result.
compare-latest = Compare the latest two
compare-latest-one = Add the latest one
compare-library = Open the library
compare-make = Make pictures
compare-gone = { $count ->
    [one] 1 picture is not here: it was deleted, or it belongs to somebody else.
   *[other] { $count } pictures are not here: they were deleted, or they belong to somebody else.
}
compare-empty = { $count ->
    [one] 1 run has no picture to compare.
   *[other] { $count } runs have no picture to compare.
}
compare-differs = What differs
compare-nothing-differs = All settings are the same.
compare-none = none
compare-same = { $count ->
    [one] 1 setting is the same
   *[other] { $count } settings are the same
}
