// What is shown, as a file.

function save(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replaceAll(/[^\w.-]+/g, "-");
  link.click();
  URL.revokeObjectURL(address);
}

export function saveText(name: string, text: string): void {
  save(name, new Blob([text], { type: "text/csv;charset=utf-8" }));
}

export function savePicture(name: string, canvas: HTMLCanvasElement): void {
  canvas.toBlob((content) => content && save(name, content), "image/png");
}
