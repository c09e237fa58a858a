/// The publications that rules and attacks rest on, each under one name.
extension Citation {
  package static let invertingGradients = Citation(
    "Geiping, Bauermeister, Dröge, Moeller",
    "Inverting Gradients – How easy is it to break privacy in federated learning?",
    "NeurIPS 2020", "Prop. 3.1")
  package static let additivelyHomomorphic = Citation(
    "Phong, Aono, Hayashi, Wang, Moriai",
    "Privacy-Preserving Deep Learning via Additively Homomorphic Encryption",
    "IEEE Transactions on Information Forensics and Security, 2018",
    "the ratio of weight and bias gradients")
  package static let recursiveAttack = Citation(
    "Zhu, Blaschko", "R-GAP: Recursive Gradient Attack on Privacy", "ICLR 2021",
    "the recursion over layers")
  package static let improvedDeepLeakage = Citation(
    "Zhao, Mopuri, Bilen", "iDLG: Improved Deep Leakage from Gradients", "arXiv:2001.02610, 2020",
    "the label from the sign of the last layer's gradient")
  package static let labelRestoration = Citation(
    "Ma, Sun, Cui, Li, Guan, Liu",
    "Instance-wise Batch Label Restoration via Gradients in Federated Learning", "ICLR 2023",
    "counts of labels in a batch")
  package static let adam = Citation(
    "Kingma, Ba", "Adam: A Method for Stochastic Optimization", "ICLR 2015", "Algorithm 1")
  package static let spear = Citation(
    "Dimitrov, Baader, Müller, Vechev",
    "SPEAR: Exact Gradient Inversion of Batches in Federated Learning", "NeurIPS 2024", "abstract")
  package static let curious = Citation(
    "Boenisch, Dziedzic, Schuster, Shamsabadi, Shumailov, Papernot",
    "When the Curious Abandon Honesty: Federated Learning Is Not Private",
    "IEEE EuroS&P 2023", "units active for a single sample")
  package static let unintendedLeakage = Citation(
    "Melis, Song, De Cristofaro, Shmatikov",
    "Exploiting Unintended Feature Leakage in Collaborative Learning",
    "IEEE Symposium on Security and Privacy 2019", "leakage from the embedding layer")
  package static let batchNormalization = Citation(
    "Ioffe, Szegedy",
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    "ICML 2015", "Algorithm 1")
  package static let lambdaLayers = Citation(
    "CERT Coordination Center",
    "Keras 2 Lambda Layers Allow Arbitrary Code Injection in TensorFlow Models",
    "Vulnerability Note, 2024", "VU#253266")
  package static let convolutionArithmetic = Citation(
    "Dumoulin, Visin", "A guide to convolution arithmetic for deep learning",
    "arXiv:1603.07285, 2016", "the relations between input and output sizes")
}
