// Pictures from anywhere in the window: dropped, pasted, or taken with the camera.

import { html, render } from './vendor/lit.js';

/** @import { Words } from './lib/i18n.js' */

/**
 * Take drops and pastes in the whole window.
 * @param {(file: File) => void} take
 * @param {() => boolean} covered whether something lies over the studio
 * @param {string} words over the window while something is dragged
 */
export function startIntake(take, covered, words) {
  const overlay = document.createElement('div');
  overlay.className = 'drop-here';
  overlay.textContent = words;
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // else the browser opens the file in place of the app
    if (!covered() && !overlay.isConnected) document.body.append(overlay);
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) overlay.remove();
  });
  addEventListener('drop', (event) => {
    overlay.remove();
    if (!hasFiles(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file && !covered()) take(file);
  });
  addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith('image/'));
    if (!file || covered()) return;
    event.preventDefault();
    take(file);
  });
}

/**
 * Show the camera's picture in a dialog and take one.
 * @param {(file: File) => void} take
 * @param {Words} w
 */
export async function openCamera(take, w) {
  const dialog = document.createElement('dialog');
  dialog.className = 'camera';
  document.body.append(dialog);
  /** @type {MediaStream | null} */
  let stream = null;
  dialog.addEventListener('close', () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    dialog.remove();
  });
  /** @param {string} said */
  const draw = (said) =>
    render(
      html`<p role="status">${said}</p>
        <video autoplay playsinline muted></video>
        <div class="camera-bar">
          <button type="button" ?disabled=${stream === null} @click=${shoot}>${w.say('camera-take')}</button>
          <button type="button" autofocus @click=${() => dialog.close()}>${w.say('ui-close')}</button>
        </div>`,
      dialog,
    );
  async function shoot() {
    const video = /** @type {HTMLVideoElement} */ (dialog.querySelector('video'));
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    dialog.close();
    take(new File([blob], 'camera.png', { type: 'image/png' }));
  }
  draw(w.say('camera-starting'));
  dialog.showModal();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    const video = dialog.querySelector('video');
    if (video) video.srcObject = stream;
    draw('');
  } catch {
    draw(w.say('camera-refused'));
  }
}
