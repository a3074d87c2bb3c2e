// The page around the stage: theme switch, help, Ctrl+Enter. Runs from the page's head.
(() => {
  const memory = 'srpo-studio:theme';
  const wanted = localStorage.getItem(memory);
  const dark = () => document.body.classList.contains('dark');

  function setTheme(theme) {
    document.body.classList.toggle('dark', theme === 'dark');
    document.documentElement.style.colorScheme = theme;
  }

  // Gradio sets its own class at some time around this script: hold the person's choice against it once.
  if (wanted) {
    setTheme(wanted);
    const once = new MutationObserver(() => { if (dark() !== (wanted === 'dark')) setTheme(wanted); });
    once.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    setTimeout(() => once.disconnect(), 3000);
  }

  // A refused upload is answered in JSON, and gradio shows an answer as it came: give it the sentence alone.
  const ask = window.fetch;
  window.fetch = async (...request) => {
    const answer = await ask(...request);
    if (answer.ok || !new URL(answer.url).pathname.endsWith('/gradio_api/upload')) return answer;
    const refusal = await answer.clone().json().catch(() => null);
    return refusal?.detail ? new Response(refusal.detail, { status: answer.status }) : answer;
  };

  addEventListener('click', (event) => {
    if (event.target.closest('#theme-button')) {
      const theme = dark() ? 'light' : 'dark';
      setTheme(theme);
      localStorage.setItem(memory, theme);
    }
    if (event.target.closest('#help-button')) document.getElementById('help').showModal();
    const tab = event.target.closest('[role="tab"]');
    if (tab) choose(tab);
    const language = event.target.closest('#api [data-language]:not(pre)');
    if (language) showLanguage(language);
    const copy = event.target.closest('#api [data-copy]');
    if (copy) copyExample(copy);
  });

  // ---- tabs: the studio, and the API's examples with this app's own address in them ----

  function choose(tab) {
    for (const each of tab.parentElement.children) each.setAttribute('aria-selected', each === tab);
    document.body.dataset.tab = tab.getAttribute('aria-controls');
    for (const code of document.querySelectorAll('#api code')) {
      const here = new URL('.', location.href).href.replace(/\/$/, '');
      if (code.textContent.includes('http://127.0.0.1:7860')) {
        code.textContent = code.textContent.replaceAll('http://127.0.0.1:7860', here);
      }
    }
  }

  function showLanguage(chosen) {
    for (const each of chosen.closest('section').querySelectorAll('[data-language]')) {
      const mine = each.dataset.language === chosen.dataset.language;
      if (each.tagName === 'PRE') each.hidden = !mine;
      else each.setAttribute('aria-pressed', mine);
    }
  }

  async function copyExample(button) {
    await navigator.clipboard.writeText(button.closest('section').querySelector('pre:not([hidden])').textContent);
    const words = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = words; }, 1500);
  }

  addEventListener('keydown', (event) => {
    const tab = event.target.closest?.('[role="tab"]');
    if (!tab || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    const other = tab.nextElementSibling ?? tab.previousElementSibling;
    other.focus();
    choose(other);
  });

  addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      // The prompt's last letters reach the server with its change event: leave the box first.
      document.activeElement?.dispatchEvent(new Event('input', { bubbles: true }));
      document.getElementById('run')?.click();
    }
  }, true);

  // ---- files that are given to the reference box ----

  const redone = new WeakSet(); // events that come from here

  // Hold an event back, and send it again with files that the box takes.
  function takeFiles(event, files, again) {
    if (redone.has(event) || !files?.length || !event.target.closest?.('#reference')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target } = event;
    Promise.all([...files].map(pictureFiles.taken)).then((taken) => {
      const carried = new DataTransfer();
      for (const file of taken) carried.items.add(file);
      const next = again(target, carried);
      redone.add(next);
      target.dispatchEvent(next);
    }, () => redone.add(event) && target.dispatchEvent(event)); // a folder, say: the box has its own words
  }

  addEventListener('change', (event) => takeFiles(event, event.target.files, (input, carried) => {
    input.files = carried.files;
    return new Event('change', { bubbles: true });
  }), true);

  addEventListener('drop', (event) => takeFiles(event, event.dataTransfer?.files, (_, carried) =>
    new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: carried })), true);
})();
