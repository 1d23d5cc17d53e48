import { useState } from 'preact/hooks';
import { isSolved, type ModelName } from '../../../graphs/models/index.ts';
import type { UnderstandOptions, WebTrained } from '../../web.ts';
import { type Kind, wordsOf } from '../models/words.ts';
import { Icon, Problem } from '../parts.tsx';
import { type Choices, DEFAULTS, kindOf } from './choices.ts';
import { Curves } from './curves.tsx';
import { FileField } from './file-field.tsx';
import { ReadSummary } from './read-summary.tsx';
import { ReadingFields } from './reading-fields.tsx';
import { ResultsTable } from './results-table.tsx';
import { RunRow } from './run-row.tsx';
import { ModelChoice, Settings } from './settings-fields.tsx';
import { Understood } from './understood.tsx';
import { isRunning, type Trainer, type Training } from './use-training.ts';
import { useUnderstanding } from './use-understanding.ts';
import { Verdicts } from './verdicts.tsx';

interface Props {
  readonly trainer: Trainer;
  /** What the model in use was trained on. */
  readonly kind: Kind | undefined;
  readonly dark: boolean;
  readonly used: WebTrained | undefined;
  onUse(trained: WebTrained, source: string): void;
}

/** The file that was chosen. */
interface Source {
  readonly file?: File;
  /** How to read it. */
  readonly reading: UnderstandOptions;
  /** Of how many files that were chosen it is the last. */
  readonly number: number;
}

export function TrainView({ trainer, kind = 'ratings', dark, used, onUse }: Props) {
  const { training, start, stop } = trainer;
  const [{ file, reading, number }, setSource] = useState<Source>({ reading: {}, number: 0 });
  const [titles, setTitles] = useState<File>();
  const [choices, setChoices] = useState<Choices>(DEFAULTS);
  const running = isRunning(training);
  const { value, waiting, problem } = useUnderstanding(file, { ...reading, kind: kindOf(choices) });
  const isReady = value !== undefined && !waiting;

  return (
    <div class="train">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (file && isReady) start({ file, titles, reading, choices });
        }}
      >
        <FileField
          large
          label="Data file"
          hint={`CSV, TSV or JSON with a user and an item in each row, and ${wordsOf(kind).columns} if there is one; also compressed with gzip or zstd. Drop it here.`}
          file={file}
          onChoose={(file) => setSource({ file, reading: {}, number: number + 1 })}
        />
        <FileField
          label="Titles file (optional)"
          hint="CSV with columns of the items’ ids and their titles or names, perhaps also genres."
          file={titles}
          onChoose={setTitles}
        />
        <div>
          <p class="promise">
            <Icon path="M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3 7h10v7H3z" />
            Your file never leaves this page. It is read, and the model trained, on this device.
          </p>
          <p class="note" role="status">
            {waiting && 'Reading the file…'}
          </p>
        </div>
        {problem !== undefined && <Problem>{problem}</Problem>}
        {value && <Understood of={value} busy={waiting} />}
        {file && (
          <ReadingFields
            // What is chosen for a file is not for another.
            key={number}
            reading={reading}
            failed={problem !== undefined}
            onChange={(reading) => setSource({ file, reading, number })}
          />
        )}
        {training?.error !== undefined && <Problem>{training.error}</Problem>}
        <ModelChoice choices={choices} onChange={setChoices} />
        <Settings choices={choices} kind={value?.kind ?? kind} onChange={setChoices} />
        <div class="buttons">
          <button type="submit" disabled={running || !isReady}>
            Start training
          </button>
          {running && (
            <button type="button" class="secondary" disabled={training?.stopping} onClick={stop}>
              Stop
            </button>
          )}
          {!file && <span class="note">Choose a data file first.</span>}
          {training?.stopping && running && <span class="note">{stopsWith(training)}</span>}
        </div>
      </form>
      <div class="progress-column" data-empty={!training?.runs.length}>
        {training && training.runs.length > 0 ? <Watched {...{ training, dark, used, onUse }} /> : <Before />}
      </div>
    </div>
  );
}

function Watched({
  training,
  dark,
  used,
  onUse,
}: Pick<Props, 'dark' | 'used' | 'onUse'> & { readonly training: Training }) {
  const { runs, read, file } = training;
  const save = async (model: ModelName, { artifact }: WebTrained): Promise<void> => {
    const { download } = await import('./download.ts');
    download(artifact, `${file.replace(/\..*$/, '')}-${model}`);
  };
  return (
    <>
      <ul class="runs" aria-label="Progress">
        {runs.map((run) => (
          <RunRow key={run.model} run={run} />
        ))}
      </ul>
      {read && <ReadSummary read={read} />}
      <Verdicts runs={runs} />
      {(['rating', 'ranking'] as const).map((objective) => (
        <Curves key={objective} {...{ training, objective, dark }} />
      ))}
      <ResultsTable
        runs={runs}
        used={used}
        onUse={(trained) => onUse(trained, file)}
        onDownload={(model, trained) => void save(model, trained)}
      />
      <p class="hidden-label" aria-live="polite">
        {runs.every(({ state }) => state === 'done') ? 'Training is done. The results are in a table.' : ''}
      </p>
    </>
  );
}

/** What a request to stop does. */
function stopsWith({ runs }: Training): string {
  const running = runs.find(({ state }) => state === 'running');
  return running && isSolved(running.model)
    ? 'Training stops, without this model.'
    : 'Training stops after this epoch, and keeps the model.';
}

function Before() {
  return (
    <div class="empty">
      <p>What is learned appears here during training, and then the results.</p>
      <svg viewBox="0 0 240 100" aria-hidden="true">
        <path d="M8 10C40 62 90 78 232 84" />
        <path d="M8 22C50 52 100 58 232 60" stroke-dasharray="0" />
      </svg>
    </div>
  );
}
