import { useId, useState } from 'preact/hooks';
import { megabytes } from '../messages.ts';
import { Icon } from '../parts.tsx';

interface Props {
  readonly label: string;
  readonly hint: string;
  readonly file: File | undefined;
  readonly large?: boolean;
  onChoose(file: File): void;
}

const TICK = 'm5 12.5 4.5 4.5L19 7.5';
const UPLOAD = 'M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M4.5 17v2.5h15V17';

export function FileField({ label, hint, file, large = false, onChoose }: Props) {
  const id = useId();
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined): void => {
    if (files?.[0]) onChoose(files[0]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: to drop is a second way; the field inside is the first
    <div
      class="drop"
      data-large={large}
      data-over={over}
      data-filled={file !== undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <Icon class="drop-icon" size={24} path={file ? TICK : UPLOAD} />
      <div>
        <label for={id}>{label}</label>
        <p class="note" id={`${id}-hint`}>
          {file ? `${file.name}, ${megabytes(file.size)}` : hint}
        </p>
      </div>
      <input
        id={id}
        type="file"
        aria-describedby={`${id}-hint`}
        onChange={({ currentTarget }) => take(currentTarget.files)}
      />
      <span class="button secondary" aria-hidden="true">
        {file ? 'Change' : 'Choose'}
      </span>
    </div>
  );
}
