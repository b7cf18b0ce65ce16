import { useTestDatabase } from '../support/database.ts';
import { storeContract } from './contract.ts';

storeContract(useTestDatabase());
