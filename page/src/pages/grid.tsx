export function Grid() { return <p class="empty">Grid</p>; }
