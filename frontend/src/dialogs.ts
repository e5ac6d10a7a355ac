// Dialogs and sheets: opened by a button that names them, closed by a press beside them if they allow that.
export function dialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-dialog-open]");
    const named = opener?.dataset["dialogOpen"];
    const dialog = named ? document.getElementById(named) : null;
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
    else if (target instanceof HTMLDialogElement && "dialogLight" in target.dataset) target.close();
    else if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
    else if (target.closest("[data-reload]")) location.reload();
  });
}
