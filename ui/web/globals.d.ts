// What the script in the page's head (`reconnect.js`) leaves for the modules.
interface Window {
  studio?: {
    /** Reload the page: the only way that is not held back. */
    reload(): void;
  };
  navigation?: EventTarget;
}
