// Shows what needs passkeys where the browser knows them, and says so when one was not accepted.
(() => {
  "use strict";
  if (globalThis.PublicKeyCredential) for (const part of document.querySelectorAll("[data-passkey]")) part.hidden = false;

  const trouble = document.getElementById("passkey-trouble");
  document.addEventListener("allauth.error", (event) => {
    if (!trouble) return;
    event.preventDefault();
    trouble.hidden = false;
    trouble.focus();
  });
})();
