// Submits the form that saves a post without a reload. Loaded on the first click.

export async function submitSavedPost(form: HTMLFormElement): Promise<void> {
  const field = form.elements.namedItem("isSaved") as HTMLInputElement;
  const isSaved = field.value;
  const status = form.querySelector<HTMLElement>("[role=status]")!;
  const response = await fetch(form.action, {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams(new FormData(form) as unknown as Record<string, string>),
  }).catch(() => null);
  if (!response) status.textContent = "No response from the server. Please try again.";
  // Without JavaScript, the server redirects to the login or says what is wrong.
  else if (!response.ok) form.submit();
  else {
    // Not from the field, which the response to a double click's first request may have changed.
    status.textContent = status.dataset[isSaved]!;
    field.value = isSaved === "yes" ? "no" : "yes";
  }
}
