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

  addEventListener('click', (event) => {
    if (event.target.closest('#theme-button')) {
      const theme = dark() ? 'light' : 'dark';
      setTheme(theme);
      localStorage.setItem(memory, theme);
    }
    if (event.target.closest('#help-button')) document.getElementById('help').showModal();
  });

  addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      // The prompt's last letters reach the server with its change event: leave the box first.
      document.activeElement?.dispatchEvent(new Event('input', { bubbles: true }));
      document.getElementById('run')?.click();
    }
  }, true);
})();
