/** Terms and the area of law in which a common-law textbook treats them. */
export const LEGAL_TERMS: readonly (readonly [term: string, area: string])[] = [
  ['arson', 'criminal law'],
  ['burglary', 'criminal law'],
  ['robbery', 'criminal law'],
  ['murder', 'criminal law'],
  ['perjury', 'criminal law'],
  ['shoplifting', 'criminal law'],
  ['negligence', 'tort law'],
  ['libel', 'tort law'],
  ['slander', 'tort law'],
  ['private nuisance', 'tort law'],
  ['offer and acceptance', 'contract law'],
  ['consideration', 'contract law'],
  ['anticipatory breach', 'contract law'],
  ['an easement', 'property law'],
  ['a freehold', 'property law'],
  ['a mortgage', 'property law'],
  ['divorce', 'family law'],
  ['adoption', 'family law'],
  ['child custody', 'family law'],
  ['judicial review', 'public law'],
  ['separation of powers', 'public law'],
];

/** Latin terms and their literal or usual English meaning. */
export const LATIN: readonly (readonly [term: string, meaning: string])[] = [
  ['mens rea', 'guilty mind'],
  ['actus reus', 'guilty act'],
  ['caveat emptor', 'let the buyer beware'],
  ['de facto', 'in fact'],
  ['de jure', 'by law'],
  ['bona fide', 'in good faith'],
  ['prima facie', 'at first sight'],
  ['in camera', 'in private'],
  ['ultra vires', 'beyond the powers'],
  ['sub poena', 'under penalty'],
  ['ex post facto', 'after the fact'],
  ['habeas corpus', 'you may have the body'],
  ['pro bono publico', 'for the public good'],
  ['stare decisis', 'to stand by decisions'],
  ['amicus curiae', 'friend of the court'],
  ['inter alia', 'among other things'],
];

/** Questions whose answers are explanations: true, but no rule can verify them, so curation must drop them. */
export const EXPLANATIONS: readonly (readonly [question: string, answer: string])[] = [
  [
    'Why do courts follow precedent?',
    'Because treating like cases alike makes the law predictable, fair between litigants, and harder to bend for one party.',
  ],
  [
    'What is the difference between a crime and a tort?',
    'A crime is prosecuted by the state and punished, whereas a tort is a civil wrong for which the injured party claims damages.',
  ],
  [
    'Why must criminal guilt be proved beyond reasonable doubt?',
    'Because convicting an innocent person is held to be a far worse error than letting a guilty one go free.',
  ],
  [
    'What does the rule of law require of a government?',
    'That it acts only under public, general and prospective laws, which bind officials as they bind everyone else.',
  ],
  [
    'Why are some contracts required to be in writing?',
    'Because writing gives lasting evidence of the terms and makes the parties consider serious promises before they are bound.',
  ],
  [
    'What is the purpose of judicial review?',
    'It lets courts check that public bodies stay within the powers that the law has given them and follow fair procedures.',
  ],
];
